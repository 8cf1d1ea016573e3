// .safetensors files made by hand from the format's description, sound and hostile ones.
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "networks/weights/state_dict.h"
#include "torch/torch_fixture.h"

using namespace imgmill;

namespace {

std::string File(const std::string& header, const std::string& data) {
  return LittleEndian(header.size(), 8) + header + data;
}

std::string Refusal(const WeightFolder& folder, const std::string& bytes) {
  const Result<StateDict> read = ReadStateDict(folder.Write("x.safetensors", bytes));
  REQUIRE(!read.ok());
  CHECK(read.error().code == Code::kModelError);
  return read.error().message;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("tensors of a sound file come out as they went in, in any order") {
  const WeightFolder folder;
  const std::string header =
      R"({"b\u00e9\ud83d\ude00\n":{"dtype":"U8","shape":[],"data_offsets":[8,9]},)"
      R"( "__metadata__" : {"act_type":"relu"} , "a":{"shape":[1,2],"data_offsets":[0,8],"dtype":"F32"},)"
      R"("empty":{"dtype":"F16","shape":[0,7],"data_offsets":[9,9]}}   )";
  const float values[2] = {1.5f, -2.0f};
  std::string data(reinterpret_cast<const char*>(values), 8);
  data += '\x2a';
  const Result<StateDict> read = ReadStateDict(folder.Write("x", File(header, data)));
  if (!read) FAIL(read.error().message);
  CHECK(read->tensors.size() == 3);
  CHECK(read->metadata.at("act_type") == "relu");
  const WeightTensor* a = read->Find("a");
  REQUIRE(a != nullptr);
  CHECK(a->shape == std::vector<int64_t>{1, 2});
  float read_values[2] = {};
  REQUIRE(a->Read(0, read_values, sizeof read_values));
  CHECK(std::memcmp(read_values, values, 8) == 0);
  const WeightTensor* b = read->Find("b\xC3\xA9\xF0\x9F\x98\x80\n");
  REQUIRE(b != nullptr);
  CHECK(b->count() == 1);
  CHECK(*b->Values()->data() == 42);
  CHECK(read->Find("empty")->count() == 0);
}

TEST_CASE("a file that is written to before its values are read gives no values") {
  const WeightFolder folder;
  const std::string path = folder.Write(
      "x", File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", std::string(8, 'x')));
  const Result<StateDict> read = ReadStateDict(path);
  if (!read) FAIL(read.error().message);
  CHECK(read->Find("a")->Values().ok());
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(2));
  const Result<Buffer> values = read->Find("a")->Values();
  REQUIRE(!values.ok());
  CHECK(values.error().message.find("written to while it was read") != std::string::npos);
}

TEST_CASE("half, bfloat16 and double weights become the floats they stand for") {
  const WeightFolder folder;
  // Bit patterns from IEEE 754: 1, -2, the largest half (65504), the smallest subnormal half (2^-24),
  // infinity.
  const std::string halves = LittleEndian(0x3C00, 2) + LittleEndian(0xC000, 2) + LittleEndian(0x7BFF, 2) +
                             LittleEndian(0x0001, 2) + LittleEndian(0x7C00, 2);
  const std::string bfloat = LittleEndian(0x3F80, 2) + LittleEndian(0xC040, 2);  // 1, -3
  const std::string doubles = LittleEndian(0x3FF8000000000000, 8);               // 1.5
  const std::string header = R"({"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},)"
                             R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[10,14]},)"
                             R"("d":{"dtype":"F64","shape":[1],"data_offsets":[14,22]},)"
                             R"("i":{"dtype":"I64","shape":[0],"data_offsets":[22,22]}})";
  const Result<StateDict> read = ReadStateDict(folder.Write("x", File(header, halves + bfloat + doubles)));
  if (!read) FAIL(read.error().message);
  const auto floats = [&](const char* name) {
    Result<Buffer> buffer = ToFloats(*read->Find(name));
    REQUIRE(buffer.ok());
    const float* values = reinterpret_cast<const float*>(buffer->data());
    return std::vector<float>(values, values + buffer->size() / 4);
  };
  CHECK(floats("h") == std::vector<float>{1.0f, -2.0f, 65504.0f, 0x1p-24f, HUGE_VALF});
  CHECK(floats("b") == std::vector<float>{1.0f, -3.0f});
  CHECK(floats("d") == std::vector<float>{1.5f});
  CHECK(!ToFloats(*read->Find("i")).ok());
}

TEST_CASE("hostile headers are refused with what is wrong") {
  const WeightFolder folder;
  const auto one = [](const std::string& type, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + type + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}}";
  };
  const std::string data(8, 'x');
  struct Case {
    std::string header, says;
  };
  for (
      const Case& c :
      {Case{one("F32", "2", "0,4"), "8 bytes by its shape"},
       Case{one("F32", "2", "8,0"), "offsets"},
       Case{one("F32", "3", "0,12"), "cut short"},
       Case{one("F32", "1", "4,8"), "gap"},
       Case{one("F32", "1", "0,4"), "the file has 8"},
       Case{one("F32", "-2", "0,8"), "whole number"},
       Case{one("F32", "2.0", "0,8"), "expected ']'"},
       Case{one("F32", "02", "0,8"), "leading zero"},
       Case{one("F32", "2", "0,8,8"), "two numbers"},
       Case{one("F32", "2", "0"), "two numbers"},
       Case{one("F33", "2", "0,8"), "its tensor a has elements of type F33, which is not supported"},
       Case{one("F32", "99999999999999999999", "0,8"), "beyond 2^63"},
       Case{one("F32", "4294967296,4294967296", "0,0"), "2^40"},
       Case{one("F32", "9223372036854775807", "0,8"), "a dimension of"},
       Case{one("F32", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "0,8"), "more than 16"},
       Case{R"({"a":{"dtype":"F32","shape":[2]}})", "lacks"},
       Case{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":[1]}})", "\"x\" is unknown"},
       Case{R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "appears twice"},
       Case{
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
           "appears twice"},
       Case{
           R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
           "overlaps"},
       Case{one("F32", "2", "0,8") + "x", "after the end"},
       Case{R"({"a\q":1})", "escape"},
       Case{R"({"a\ud800":1})", "surrogate"},
       Case{"{\"a\nb\":1}", "control character"},
       Case{R"({"a)", "closing quote"},
       Case{"{", "expected '\"'"},
       Case{R"({"__metadata__":{"a":1}})", "expected '\"'"},
       Case{R"({"__metadata__":{"a":"1","a":"2"}})", "appears twice"}}) {
    CAPTURE(c.header);
    const std::string refusal = Refusal(folder, File(c.header, data));
    CAPTURE(refusal);
    CHECK(Has(refusal, c.says));
  }
  std::string notes, tensors;
  for (int i = 0; i < 4097; ++i) notes += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  CHECK(Has(Refusal(folder, File("{\"__metadata__\":{" + notes + "}}", "")), "4096 keys"));
  for (int i = 0; i <= 131'072; ++i)
    tensors +=
        (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  CHECK(Has(Refusal(folder, File("{" + tensors + "}", "")), "131072 tensors"));
  CHECK(Has(Refusal(folder, LittleEndian(1000, 8) + "{}"), "claims 1000 bytes"));
  CHECK(Has(Refusal(folder, LittleEndian(99'000'000, 8) + "{}"), "claims 99000000 bytes"));
}

TEST_CASE("files that are no weights are named for what they are") {
  const WeightFolder folder;
  CHECK(Has(Refusal(folder, ""), "an empty file"));
  CHECK(Has(Refusal(folder, "version https://git-lfs.github.com/spec/v1\n"), "Git LFS"));
  CHECK(Has(Refusal(folder, "<!DOCTYPE html>"), "web page"));
  CHECK(Has(Refusal(folder, "\x80\x04N."), "bare pickle"));
  CHECK(Has(Refusal(folder, "7767517\n75 75\n"), "ncnn"));
  CHECK(Has(Refusal(folder, std::string(257, '\0').append("ustar")), "tar"));
  CHECK(Has(Refusal(folder, std::string(100, '\0')), "neither a .safetensors file"));
  CHECK(Has(Refusal(folder, "PK\x03\x04"), "ends early"));
}
