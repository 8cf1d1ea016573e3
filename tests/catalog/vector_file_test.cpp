// Vectors survive kills and full disks, and damage is noticed.
#include "imgmill/catalog/vector_file.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "dataset/test_folder.h"
#include "imgmill/catalog/catalog.h"

using namespace imgmill;

namespace {

std::vector<float> Vector(float first) {
  return {first, first + 1, first + 2};
}

std::unique_ptr<VectorFile> OpenFile(const std::string& folder, int dimension = 3) {
  Result<std::unique_ptr<VectorFile>> file = VectorFile::Open(folder, "test/1", dimension);
  REQUIRE_MESSAGE(file.ok(), (file ? "" : file.error().message));
  return *std::move(file);
}

}  // namespace

TEST_CASE("what was appended is found again, by place and through windows, in another process's eyes too") {
  const TestFolder where;
  VectorFile::Place first, second;
  {
    const auto file = OpenFile(where.path());
    first = *file->Append(Vector(1));
    second = *file->Append(Vector(7));
    CHECK_FALSE(file->Append(std::vector<float>(4)).ok());
  }
  const auto file = OpenFile(where.path(), 0);
  REQUIRE(file != nullptr);
  CHECK(file->dimension() == 3);
  CHECK(file->rows() == 2);
  std::vector<float> read(3);
  REQUIRE(file->Read(second, read).ok());
  CHECK(read == Vector(7));
  CHECK(
      file->View(0, 2, [&](const float* rows) { CHECK(std::vector<float>(rows + 3, rows + 6) == Vector(7)); })
          .ok());
  CHECK_FALSE(file->View(1, 2, [](const float*) {}).ok());
  CHECK(VectorFile::Open(where.path(), "another/1", 0)->get() == nullptr);
  CHECK(file->Read({first.row, first.checksum ^ 1}, read).error().code == Code::kMalformed);
}

TEST_CASE("part of a row, as a killed append leaves it, is written over") {
  const TestFolder where;
  std::string path;
  {
    const auto file = OpenFile(where.path());
    REQUIRE(file->Append(Vector(1)).ok());
    path = file->path();
  }
  for (const size_t torn : {1, 4, 11}) {
    std::filesystem::resize_file(path, 4096 + 12 + torn);
    const auto file = OpenFile(where.path());
    CHECK(file->rows() == 1);
    const auto place = file->Append(Vector(5));
    REQUIRE(place.ok());
    CHECK(place->row == 1);
    std::vector<float> read(3);
    REQUIRE(file->Read(*place, read).ok());
    CHECK(read == Vector(5));
  }
  // Killed before the header was whole: as if it were not there.
  for (const size_t torn : {0, 100, 4095}) {
    std::filesystem::resize_file(path, torn);
    CHECK(VectorFile::Open(where.path(), "test/1", 0)->get() == nullptr);
    CHECK(OpenFile(where.path())->rows() == 0);
  }
}

TEST_CASE("a header that says more floats than a vector can have is damaged, though its checksum is right") {
  const TestFolder where;
  std::string path;
  {
    const auto file = OpenFile(where.path());
    REQUIRE(file->Append(Vector(1)).ok());
    path = file->path();
  }
  // As fuzzing found it: beyond 2^31 the dimension came out negative.
  for (const uint32_t dimension : {0xda010003u, 0x80000000u, (1u << 20) + 1}) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    std::vector<char> header(
        2016);  // magic, dimension, length of the kind, 2000 bytes of kind; the checksum follows
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    std::memcpy(header.data() + 8, &dimension, sizeof dimension);
    const ContentDigest digest = DigestOfBytes(header.data(), header.size());
    file.seekp(0);
    file.write(header.data(), static_cast<std::streamsize>(header.size()));
    file.write(reinterpret_cast<const char*>(digest.bytes.data()), 8);
    REQUIRE(file.flush().good());
    const auto opened = VectorFile::Open(where.path(), "test/1", 0);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code == Code::kMalformed);
  }
}

TEST_CASE("a row that a power cut lost is told by its checksum, a damaged header by its own") {
  const TestFolder where;
  std::string path;
  VectorFile::Place place;
  {
    const auto file = OpenFile(where.path());
    place = *file->Append(Vector(1));
    path = file->path();
  }
  std::filesystem::resize_file(path, 4096);
  std::filesystem::resize_file(path, 4096 + 12);  // zeros, as an unwritten block reads
  std::vector<float> read(3);
  CHECK(OpenFile(where.path())->Read(place, read).error().code == Code::kMalformed);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(9);
    file.put('\x7f');
  }
  const auto damaged = VectorFile::Open(where.path(), "test/1", 3);
  REQUIRE_FALSE(damaged.ok());
  CHECK(damaged.error().code == Code::kMalformed);
  CHECK(damaged.error().message.find("delete it") != std::string::npos);
}

TEST_CASE("many threads append while others look, and every row is whole") {
  const TestFolder where;
  const auto file = OpenFile(where.path());
  std::vector<std::jthread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::vector<float> vector = Vector(static_cast<float>(1000 * t + i));
        const auto place = file->Append(vector);
        std::vector<float> read(3);
        if (!place || !file->Read(*place, read) || read != vector) ++wrong;
        const Status looked = file->View(0, file->rows(), [&](const float* rows) {
          if (rows[1] != rows[0] + 1) ++wrong;
        });
        if (!looked) ++wrong;
      }
    });
  }
  threads.clear();
  CHECK(wrong == 0);
  CHECK(file->rows() == 800);
}

TEST_CASE("without a catalog vectors lie in a file that vanishes") {
  const auto file = OpenFile("");
  const auto place = file->Append(Vector(3));
  REQUIRE(place.ok());
  std::vector<float> read(3);
  CHECK(file->Read(*place, read).ok());
  CHECK_FALSE(std::filesystem::exists(file->path()));
}

TEST_CASE("known files come in order of path, each with what its content has") {
  const TestFolder where;
  auto catalog = Catalog::Open(where.path());
  REQUIRE(catalog.ok());
  ContentDigest red, blue;
  red.bytes[0] = 1;
  blue.bytes[0] = 2;
  REQUIRE((*catalog)->PutFile("/b", {{1, 2}, red}).ok());
  REQUIRE((*catalog)->PutFile("/a", {{3, 4}, blue}).ok());
  REQUIRE((*catalog)->PutFile("/c", {{5, 6}, red}).ok());
  REQUIRE((*catalog)->PutFact(red, "vector/1", "R").ok());
  for (int i = 0; i < 3000; ++i) {  // more than are held at once
    REQUIRE((*catalog)->PutFile("/many/" + std::to_string(10'000 + i), {{1, 1}, red}).ok());
  }
  std::vector<std::string> seen;
  REQUIRE((*catalog)
              ->ForEachFileAndFact("vector/1",
                                   [&](const std::string& path, const KnownFile& file,
                                       const std::optional<std::string>& value) {
                                     CHECK(value == (path == "/a" ? std::nullopt : std::optional("R")));
                                     CHECK(file.content == (path == "/a" ? blue : red));
                                     seen.push_back(path);
                                     return true;
                                   })
              .ok());
  REQUIRE(seen.size() == 3003);
  CHECK(seen[0] == "/a");
  CHECK(seen[1] == "/b");
  CHECK(seen[2] == "/c");
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(*(*catalog)->CountFiles() == 3003);
  uint64_t without = 0;
  REQUIRE((*catalog)
              ->ForEachFileAndFact("of nobody",
                                   [&](const std::string&, const KnownFile&, const auto& value) {
                                     without += value ? 0 : 1;
                                     return true;
                                   })
              .ok());
  CHECK(without == 3003);
}
