// Arrays that NumPy has saved (tests/golden/make_table_golden.py).
#include "imgmill/tables/npy_reader.h"

#include <doctest/doctest.h>

using namespace imgmill;

namespace {

const std::string kGolden = std::string(IMGMILL_SOURCE_DIR) + "/tests/golden/tables/";

}  // namespace

TEST_CASE("arrays of half, single and double precision are read, of any version of the format") {
  for (const std::string name : {"float16", "float32", "float64", "version2"}) {
    CAPTURE(name);
    const Result<std::unique_ptr<NpyReader>> reader = NpyReader::Open(kGolden + name + ".npy");
    REQUIRE(reader.ok());
    CHECK((*reader)->rows() == 7);
    CHECK((*reader)->dimension() == 3);
    for (int i = 0; i < 7; ++i) {
      std::vector<float> row;
      REQUIRE((*reader)->Next(row).ok());
      const auto number = static_cast<float>(i);
      CHECK(row == std::vector<float>{number + 0.5F, -number, 0.25F});
    }
    std::vector<float> row;
    CHECK_FALSE((*reader)->Next(row).ok());
  }
}

TEST_CASE("other arrays are refused, and say how to save them") {
  const auto refusal = [](const std::string& name) {
    const auto reader = NpyReader::Open(kGolden + name);
    REQUIRE_FALSE(reader.ok());
    return reader.error().message;
  };
  CHECK(refusal("integers.npy").find("array.astype('<f4')") != std::string::npos);
  CHECK(refusal("columns.npy").find("numpy.ascontiguousarray(array)") != std::string::npos);
  CHECK(refusal("plain.parquet").find("no file of numpy.save") != std::string::npos);
  CHECK(refusal("nothing.npy").find("nothing.npy") != std::string::npos);
  CHECK(refusal(".").find("no regular file") != std::string::npos);
}
