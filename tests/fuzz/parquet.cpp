// Fuzzes the reader of Parquet files: footer, pages, and the values of every column that it says to have.
#include <algorithm>

#include "fuzz/input_file.h"
#include "imgmill/tables/parquet_reader.h"

using namespace imgmill;

namespace {

constexpr size_t kMost = 1 << 24;  ///< a lease would refuse more of this machine, too
constexpr uint64_t kRows = 4096;

void Read(ParquetFile& file, const std::string& column, bool is_text) {
  const Result<Footprint> needs = file.Needs(column);
  if (!needs || needs->pooled > kMost) return;
  const auto values = file.Read(column);
  if (!values) return;
  std::string text;
  std::vector<float> vector;
  for (uint64_t row = 0; row < std::min(file.rows(), kRows); ++row) {
    if (!(is_text ? (*values)->NextText(text) : (*values)->NextVector(vector))) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const Result<std::unique_ptr<ParquetFile>> file = ParquetFile::Open(fuzz::InputFilePath(data, bytes));
  if (!file) return 0;
  for (const std::string& column : (*file)->texts()) Read(**file, column, true);
  for (const std::string& column : (*file)->vectors()) Read(**file, column, false);
  return 0;
}
