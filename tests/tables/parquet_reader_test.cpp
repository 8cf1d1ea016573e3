// Parquet files that pyarrow and DuckDB have written (tests/golden/make_table_golden.py), cut and damaged
// ones, one that lies (make_unending_table.py), and our own.
#include "imgmill/tables/parquet_reader.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "imgmill/tables/parquet_writer.h"

using namespace imgmill;

namespace {

const std::string kGolden = std::string(IMGMILL_SOURCE_DIR) + "/tests/golden/tables/";

struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<float>> vectors;
};

Result<Table> ReadTable(ParquetFile& file, const std::string& texts, const std::string& vectors) {
  for (const std::string& column : {texts, vectors}) {
    if (const Result<Footprint> needs = file.Needs(column); !needs) return needs.error();
  }
  auto names = file.Read(texts), rows = file.Read(vectors);
  if (!names) return names.error();
  if (!rows) return rows.error();
  Table table;
  for (uint64_t row = 0; row < file.rows(); ++row) {
    if (Status read = (*names)->NextText(table.names.emplace_back()); !read) return read.error();
    if (Status read = (*rows)->NextVector(table.vectors.emplace_back()); !read) return read.error();
  }
  return table;
}

Result<Table> ReadFile(const std::string& path, const std::string& texts, const std::string& vectors) {
  const Result<std::unique_ptr<ParquetFile>> file = ParquetFile::Open(path);
  if (!file) return file.error();
  return ReadTable(**file, texts, vectors);
}

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct ScratchFile {
  std::string path =
      (std::filesystem::temp_directory_path() / ("imgmill-parquet-" + std::to_string(::getpid()))).string();
  ~ScratchFile() { std::filesystem::remove(path); }
  void Write(const std::string& bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
};

}  // namespace

TEST_CASE("what pyarrow and DuckDB write is read, in each encoding and compression") {
  for (const std::string name :
       {"default", "v2_zstd", "plain", "double_gzip", "fixed", "half", "split", "duckdb"}) {
    CAPTURE(name);
    const Result<std::unique_ptr<ParquetFile>> file = ParquetFile::Open(kGolden + name + ".parquet");
    REQUIRE(file.ok());
    CHECK((*file)->rows() == 7);
    CHECK((*file)->texts() == std::vector<std::string>{"image_path"});
    CHECK((*file)->vectors() == std::vector<std::string>{"embedding"});
    const Result<Table> table = ReadTable(**file, "image_path", "embedding");
    if (!table) FAIL(table.error().message);
    // As the script has them.
    for (size_t i = 0; i < 7; ++i) {
      const std::string letters[] = {"a", "b b", "\u00fc"};
      CHECK(table->names[i] == letters[i % 3] + ".jpg");
      const auto number = static_cast<float>(i);
      CHECK(table->vectors[i] == std::vector<float>{number + 0.5F, -number, 0.25F});
    }
  }
}

TEST_CASE("missing names and vectors are empty, missing numbers are not numbers") {
  const Result<Table> table = ReadFile(kGolden + "missing.parquet", "path", "v");
  REQUIRE(table.ok());
  CHECK(table->names == std::vector<std::string>{"a", "", "c", "d"});
  CHECK(table->vectors[0] == std::vector<float>{1, 2});
  CHECK(table->vectors[1].empty());
  CHECK(table->vectors[2].empty());
  REQUIRE(table->vectors[3].size() == 2);
  CHECK(table->vectors[3][0] == 3);
  CHECK(std::isnan(table->vectors[3][1]));
}

TEST_CASE("what is not read is named before a row is read, with what would help") {
  const auto refusal = [](const std::string& name) {
    const Result<Table> table = ReadFile(kGolden + name, "image_path", "embedding");
    REQUIRE_FALSE(table.ok());
    return table.error().message;
  };
  CHECK(refusal("lz4.parquet").find("compressed by LZ4, which is not read") != std::string::npos);
  CHECK(refusal("delta.parquet").find("DELTA_LENGTH_BYTE_ARRAY") != std::string::npos);
  CHECK(refusal("delta.parquet").find("pyarrow.parquet.write_table") != std::string::npos);
  CHECK(refusal("float32.npy").find("no Parquet file") != std::string::npos);
  CHECK_FALSE(ReadFile(kGolden + "default.parquet", "number", "embedding").ok());
}

TEST_CASE("a row of as many places as a file likes to say ends at the first that is of no list") {
  const Result<Table> table = ReadFile(kGolden + "unending.parquet", "path", "vector");  // 2^40 of them
  REQUIRE(!table);
  CHECK(table.error().code == Code::kMalformed);
  CHECK(table.error().message.find("has an element in no list") != std::string::npos);
}

TEST_CASE("columns of numbers that are no lists of numbers are no vectors") {
  const Result<std::unique_ptr<ParquetFile>> file = ParquetFile::Open(kGolden + "shapes.parquet");
  REQUIRE(file.ok());
  // Not a map's values, a member of a list's structs, decimals of two bytes, a list in a struct or in a list.
  CHECK((*file)->vectors() == std::vector<std::string>{"halves"});
  CHECK((*file)->texts() == std::vector<std::string>{"path"});
  const Result<Table> table = ReadTable(**file, "path", "halves");
  REQUIRE(table.ok());
  CHECK(table->vectors == std::vector<std::vector<float>>{{1, 2}, {3, 4}});
}

TEST_CASE("a text of a column that is no path is refused") {
  const ScratchFile file;
  std::string bytes;
  ParquetWriter writer({{"path"}}, "vector", [&](const void* data, size_t size) -> Status {
    bytes.append(static_cast<const char*>(data), size);
    return {};
  });
  const std::vector<float> vector = {1};
  const std::string longest(16384, 'x'), longer(16385, 'x');
  for (const std::string& text : {longest, longer}) {
    const ParquetCell cells[] = {std::string_view(text)};
    REQUIRE(writer.Add(cells, vector).ok());
  }
  REQUIRE(writer.Finish({}).ok());
  file.Write(bytes);
  const Result<std::unique_ptr<ParquetFile>> read = ParquetFile::Open(file.path);
  REQUIRE(read.ok());
  auto column = (*read)->Read("path");
  REQUIRE(column.ok());
  std::string text;
  CHECK((*column)->NextText(text).ok());
  CHECK(text == longest);
  const Status refused = (*column)->NextText(text);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("16385 bytes") != std::string::npos);
}

TEST_CASE("a schema or a footer beyond all tables is refused before it takes memory") {
  const ScratchFile file;
  const auto refusal = [&](const std::string& footer) {
    std::string bytes = "PAR1" + footer;
    const auto length = static_cast<uint32_t>(footer.size());
    bytes.append(reinterpret_cast<const char*>(&length), 4);
    file.Write(bytes + "PAR1");
    const auto read = ParquetFile::Open(file.path);
    REQUIRE_FALSE(read.ok());
    return read.error().message;
  };
  // Field 2, a list of 100,000 structs (varint), each of which ends at once: by Thrift's compact protocol.
  const std::string elements = "\x29\xFC\xA0\x8D\x06" + std::string(100'000, '\0');
  CHECK(refusal(elements).find("more than 65536 columns") != std::string::npos);
  CHECK(refusal(std::string((size_t{1} << 24) + 1, '\0')).find("larger row groups") != std::string::npos);
}

TEST_CASE("our own files are read back, of several row groups") {
  const ScratchFile file;
  std::string bytes;
  ParquetWriter writer({{"path"}, {"content"}}, "vector", [&](const void* data, size_t size) -> Status {
    bytes.append(static_cast<const char*>(data), size);
    return {};
  });
  std::mt19937 random(3);
  Table expected;
  for (int i = 0; i < 5000; ++i) {
    std::vector<float>& vector = expected.vectors.emplace_back(512);
    for (float& value : vector) value = static_cast<float>(random());
    const std::string& name =
        expected.names.emplace_back(std::string(random() % 40, 'n') + std::to_string(i));
    const ParquetCell texts[] = {name, "x"};
    REQUIRE(writer.Add(texts, vector).ok());
  }
  REQUIRE(writer.Finish({}).ok());
  file.Write(bytes);
  const Result<Table> table = ReadFile(file.path, "path", "vector");
  REQUIRE(table.ok());
  CHECK(table->names == expected.names);
  CHECK(table->vectors == expected.vectors);
}

TEST_CASE("texts of our own that are missing are read back as empty, among values of other kinds") {
  const ScratchFile file;
  std::string bytes;
  ParquetWriter writer({{"caption", ParquetKind::kText, true},
                        {"width", ParquetKind::kInteger},
                        {"blur", ParquetKind::kNumber, true},
                        {"kept", ParquetKind::kFlag},
                        {"key"}},
                       "", [&](const void* data, size_t size) -> Status {
                         bytes.append(static_cast<const char*>(data), size);
                         return {};
                       });
  std::mt19937 random(4);
  std::vector<std::string> captions, keys;
  for (int64_t i = 0; i < 100'000; ++i) {
    const bool has = random() % 300 > 1 ? i % 7000 < 5000 : random() % 2 == 0;  // long runs and short ones
    captions.push_back(has ? "c" + std::to_string(i) : std::string());
    keys.push_back(std::string(random() % 60, 'k') + std::to_string(i));
    ParquetCell cells[] = {{}, i, {}, i % 3 == 0, keys.back()};
    if (has) cells[0] = captions.back();
    if (i % 2 == 0) cells[2] = 0.5;
    REQUIRE(writer.Add(cells).ok());
  }
  REQUIRE(writer.Finish({}).ok());
  file.Write(bytes);
  const Result<std::unique_ptr<ParquetFile>> read = ParquetFile::Open(file.path);
  REQUIRE(read.ok());
  CHECK((*read)->rows() == captions.size());
  CHECK((*read)->texts() == std::vector<std::string>{"caption", "key"});
  for (const auto& [name, expected] : {std::pair{"caption", &captions}, std::pair{"key", &keys}}) {
    REQUIRE((*read)->Needs(name).ok());
    const Result<std::unique_ptr<ParquetColumn>> column = (*read)->Read(name);
    REQUIRE(column.ok());
    std::vector<std::string> texts(expected->size());
    for (std::string& text : texts) REQUIRE((*column)->NextText(text).ok());
    CHECK(texts == *expected);
  }
}

TEST_CASE("a file that is cut or damaged anywhere is an error or other values, never more") {
  const ScratchFile file;
  std::mt19937 random(11);
  for (const std::string name : {"default", "v2_zstd", "double_gzip", "split", "duckdb"}) {
    const std::string whole = Bytes(kGolden + name + ".parquet");
    for (size_t length = 0; length < whole.size(); length += 7) {
      file.Write(whole.substr(0, length));
      CHECK_FALSE(ReadFile(file.path, "image_path", "embedding").ok());
    }
    for (int i = 0; i < 2000; ++i) {
      std::string damaged = whole;
      for (int j = 0; j < 1 + i % 3; ++j) damaged[random() % damaged.size()] = static_cast<char>(random());
      file.Write(damaged);
      (void)ReadFile(file.path, "image_path", "embedding");
    }
  }
}
