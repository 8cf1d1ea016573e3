// A Parquet file of two rows, byte by byte as the specification has it; bench/peers/table_parity.py has
// others' readers read larger ones.
#include "imgmill/tables/parquet_writer.h"

#include <doctest/doctest.h>

using namespace imgmill;

namespace {

std::string Bytes(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); ++i) {
    if (hex[i] == ' ') continue;
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    ++i;
  }
  return bytes;
}

struct Written {
  std::string bytes;
  ParquetWriter::Sink sink = [this](const void* data, size_t size) -> Status {
    bytes.append(static_cast<const char*>(data), size);
    return {};
  };
};

}  // namespace

TEST_CASE("a file of two rows is what the specification says") {
  Written file;
  ParquetWriter writer({"p"}, "v", file.sink);
  const std::string_view first[] = {"a"}, second[] = {"bc"};
  const float one[] = {1, 2}, two[] = {3, -4};
  CHECK(writer.Add(first, one).ok());
  CHECK(writer.Add(second, two).ok());
  const std::pair<std::string, std::string> notes[] = {{"k", "w"}};
  CHECK(writer.Finish(notes).ok());
  // By hand, from parquet.thrift and Encodings.md of github.com/apache/parquet-format and Thrift's compact
  // protocol: a field is (distance to the one before) * 16 + type (5 int32, 6 int64, 8 text, 9 list, c
  // struct), an integer is twice itself (less 1 where negative), seven bits a byte; 00 ends a struct.
  const char page_of_texts[] =
      "15 00 15 16 15 16"                 // a data page of 11 bytes, as stored and as read
      "2c 15 04 15 00 15 06 15 06 00 00"  // 2 values, plain; levels (there are none) as runs
      "01 00 00 00 61 02 00 00 00 62 63";
  const char page_of_vectors[] =
      "15 00 15 44 15 44"                    // 34 bytes
      "2c 15 08 15 00 15 06 15 06 00 00"     // 4 values
      "08 00 00 00 02 00 02 01 02 00 02 01"  // 8 bytes of repetition levels: runs of one 0, 1, 0, 1
      "02 00 00 00 08 01"                    // 2 bytes of definition levels: a run of four 1
      "00 00 80 3f 00 00 00 40 00 00 40 40 00 00 80 c0";
  const char schema[] =
      "15 02 19 5c"                                // version 1, five elements
      "48 06 73 63 68 65 6d 61 15 04 00"           // the root, "schema", with two children
      "15 0c 25 00 18 01 70 25 00 4c 1c 00 00 00"  // byte arrays, required, "p", UTF8; logical type: 1,
                                                   // string
      "35 00 18 01 76 15 02 15 06 4c 3c 00 00 00"  // required, "v", one child, LIST; logical type: 3, list
      "35 04 18 04 6c 69 73 74 15 02 00"           // repeated, "list", one child
      "15 08 25 00 18 07 65 6c 65 6d 65 6e 74 00"  // floats, required, "element"
      "16 04";                                     // two rows
  const char groups[] =
      "19 1c 19 2c"                             // one row group, of two columns
      "26 08 1c 15 0c 19 25 00 06 19 18 01 70"  // at 4: byte arrays; plain and runs; "p"
      "15 00 16 04 16 38 16 38 26 08 00 00"     // as it is; 2 values; 28 bytes with the header; at 4
      "26 40 1c 15 08 19 25 00 06 19 38 01 76 04 6c 69 73 74 07 65 6c 65 6d 65 6e 74"  // at 32;
                                                                                       // v.list.element
      "15 00 16 08 16 66 16 66 26 40 00 00"  // 4 values, 51 bytes, at 32
      "16 9e 01 16 04 00";                   // 79 bytes and two rows in all
  const char notes_and_author[] = "19 1c 18 01 6b 18 01 77 00 18 07 69 6d 67 6d 69 6c 6c 00";
  const std::string footer = Bytes(std::string(schema) + groups + notes_and_author);
  CHECK(file.bytes ==
        "PAR1" + Bytes(page_of_texts) + Bytes(page_of_vectors) + footer + Bytes("a2 00 00 00") + "PAR1");
  CHECK(footer.size() == 0xa2);
}

TEST_CASE("row groups end when 4 MiB of vectors or 1 MiB of texts are held") {
  Written few, long_texts;
  const std::vector<float> vector(512, 0.5F);  // 2048 of them are 4 MiB
  ParquetWriter rows({"p"}, "v", few.sink), texts({"p"}, "", long_texts.sink);
  const std::string_view name[] = {"x"};
  for (int i = 0; i < 2047; ++i) CHECK(rows.Add(name, vector).ok());
  CHECK(few.bytes.size() == 4);
  CHECK(rows.Add(name, vector).ok());
  CHECK(few.bytes.size() > 4 * kMiB);
  const std::string big(kMiB / 2, 'x');
  const std::string_view longer[] = {big};
  CHECK(texts.Add(longer, {}).ok());
  CHECK(long_texts.bytes.size() == 4);
  CHECK(texts.Add(longer, {}).ok());
  CHECK(long_texts.bytes.size() > kMiB);
}

TEST_CASE("a vector of another length than the first is refused") {
  Written file;
  ParquetWriter writer({"p"}, "v", file.sink);
  const std::string_view name[] = {"x"};
  const float three[] = {1, 2, 3};
  CHECK(writer.Add(name, three).ok());
  CHECK_FALSE(writer.Add(name, std::span(three, 2)).ok());
}
