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
  ParquetWriter writer({{"p"}}, "v", file.sink);
  const ParquetCell first[] = {"a"}, second[] = {"bc"};
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

TEST_CASE("values of every kind, and rows without one, are what the specification says") {
  Written file;
  ParquetWriter writer({{"t", ParquetKind::kText, true},
                        {"n", ParquetKind::kNumber, true},
                        {"k", ParquetKind::kFlag},
                        {"d", ParquetKind::kTime, true},
                        {"i", ParquetKind::kInteger}},
                       "", file.sink);
  const ParquetCell none;
  const ParquetCell first[] = {none, 1.5, true, int64_t{1000}, int64_t{-2}};
  const ParquetCell second[] = {"a", none, false, none, int64_t{3}};
  CHECK(writer.Add(first).ok());
  CHECK(writer.Add(second).ok());
  CHECK(writer.Finish({}).ok());
  const std::string head = " 2c 15 04 15 00 15 06 15 06 00 00 ";  // 2 values, plain; levels as runs
  const std::string pages =
      "15 00 15 1a 15 1a" + head +  // 13 bytes
      "04 00 00 00 02 00 02 01"     // 4 bytes of definition levels: runs of one 0 and one 1
      "01 00 00 00 61"
      "15 00 15 20 15 20" +
      head +  // 16 bytes
      "04 00 00 00 02 01 02 00"
      "00 00 00 00 00 00 f8 3f"
      "15 00 15 02 15 02" +
      head +
      "01"  // a bit a flag, the lowest first
      "15 00 15 20 15 20" +
      head +
      "04 00 00 00 02 01 02 00"
      "e8 03 00 00 00 00 00 00"
      "15 00 15 20 15 20" +
      head + "fe ff ff ff ff ff ff ff 03 00 00 00 00 00 00 00";
  const std::string schema =
      "15 02 19 6c"                                // version 1, six elements
      "48 06 73 63 68 65 6d 61 15 0a 00"           // the root, "schema", with five children
      "15 0c 25 02 18 01 74 25 00 4c 1c 00 00 00"  // byte arrays, optional, "t", UTF8
      "15 0a 25 02 18 01 6e 00"                    // doubles, optional
      "15 00 25 00 18 01 6b 00"                    // booleans, required
      "15 04 25 02 18 01 64"                       // int64, optional, of logical type
      "6c 8c 12 1c 1c 00 00 00 00 00"              // 8, timestamp: 1, UTC, false; 2, unit, 1, milliseconds
      "15 04 25 00 18 01 69 00"
      "16 04";  // two rows
  const auto chunk = [](const std::string& at, const std::string& type, const std::string& name,
                        const std::string& bytes) {
    return "26" + at + "1c 15" + type + "19 25 00 06 19 18 01" + name + "15 00 16 04 16" + bytes + "16" +
           bytes + "26" + at + "00 00";
  };
  const std::string groups = "19 1c 19 5c" + chunk(" 08 ", " 0c ", " 74 ", " 3c ") +  // at 4, 30 bytes
                             chunk(" 44 ", " 0a ", " 6e ", " 42 ") +                  // at 34, 33
                             chunk(" 86 01 ", " 00 ", " 6b ", " 24 ") +               // at 67, 18
                             chunk(" aa 01 ", " 04 ", " 64 ", " 42 ") +               // at 85, 33
                             chunk(" ec 01 ", " 04 ", " 69 ", " 42 ") +               // at 118, 33
                             "16 a6 02 16 04 00";                                     // 147 bytes, two rows
  const std::string footer = Bytes(schema + groups + "28 07 69 6d 67 6d 69 6c 6c 00");
  CHECK(footer.size() == 0xdf);
  CHECK(file.bytes == "PAR1" + Bytes(pages) + footer + Bytes("df 00 00 00") + "PAR1");
}

TEST_CASE("a value of another kind, or none where there must be one, is refused") {
  const auto takes = [](const ParquetField& field, const ParquetCell& cell) {
    Written file;
    ParquetWriter writer({field}, "", file.sink);
    return writer.Add({&cell, 1}).ok();
  };
  CHECK(takes({"n", ParquetKind::kNumber, true}, {}));
  CHECK_FALSE(takes({"n", ParquetKind::kNumber}, {}));
  CHECK_FALSE(takes({"n", ParquetKind::kNumber}, int64_t{1}));
  CHECK_FALSE(takes({"t", ParquetKind::kText}, true));
  CHECK_FALSE(takes({"d", ParquetKind::kTime}, 1.0));
}

TEST_CASE("row groups end when 4 MiB of vectors, or 1 MiB of texts beside them, or 4 MiB of texts are held") {
  Written few, beside, long_texts;
  const std::vector<float> vector(512, 0.5F);  // 2048 of them are 4 MiB
  ParquetWriter rows({{"p"}}, "v", few.sink), texts({{"p"}}, "", long_texts.sink);
  const ParquetCell name[] = {"x"};
  for (int i = 0; i < 2047; ++i) CHECK(rows.Add(name, vector).ok());
  CHECK(few.bytes.size() == 4);
  CHECK(rows.Add(name, vector).ok());
  CHECK(few.bytes.size() > 4 * kMiB);
  const std::string big(kMiB / 2, 'x');
  const float one[] = {1};
  ParquetWriter with_vectors({{"p"}}, "v", beside.sink);
  const ParquetCell longer[] = {big};
  CHECK(with_vectors.Add(longer, one).ok());
  CHECK(beside.bytes.size() == 4);
  CHECK(with_vectors.Add(longer, one).ok());
  CHECK(beside.bytes.size() > kMiB);
  for (int i = 0; i < 7; ++i) CHECK(texts.Add(longer).ok());
  CHECK(long_texts.bytes.size() == 4);
  CHECK(texts.Add(longer).ok());
  CHECK(long_texts.bytes.size() > 4 * kMiB);
}

TEST_CASE("a vector of another length than the first is refused") {
  Written file;
  ParquetWriter writer({{"p"}}, "v", file.sink);
  const ParquetCell name[] = {"x"};
  const float three[] = {1, 2, 3};
  CHECK(writer.Add(name, three).ok());
  CHECK_FALSE(writer.Add(name, std::span(three, 2)).ok());
}
