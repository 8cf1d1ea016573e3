// The header is a Python dictionary of three keys, which numpy.save writes in one form.
#include "imgmill/tables/npy_reader.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/half.h"
#include "imgmill/base/path_text.h"
#include "tables/open_table.h"

namespace imgmill {
namespace {

constexpr size_t kLongestHeader = 1 << 16;
constexpr uint64_t kLongestRow = 1 << 20;  ///< as vectors are kept

static_assert(std::endian::native == std::endian::little, "arrays are read as they are stored");

/// What follows `'key': ` up to the end of that value.
std::string_view ValueOf(std::string_view header, std::string_view key) {
  const size_t found = header.find("'" + std::string(key) + "'");
  if (found == std::string_view::npos) return {};
  header.remove_prefix(found + key.size() + 2);
  const size_t begin = header.find_first_not_of(": ");
  if (begin == std::string_view::npos) return {};
  header.remove_prefix(begin);
  const char last = header[0] == '(' ? ')' : ',';
  return header.substr(0, header.find(last));
}

/// The numbers of "(30, 512".
std::vector<uint64_t> Shape(std::string_view text) {
  std::vector<uint64_t> shape;
  while (!text.empty()) {
    uint64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc()) shape.push_back(number);
    text.remove_prefix(problem == std::errc() ? static_cast<size_t>(end - text.data()) : 1);
  }
  return shape;
}

}  // namespace

Error NpyReader::Wrong(Code code, const std::string& what) const {
  return {Stage::kConfigure, code, PrintablePath(path_) + ": " + what};
}

Result<std::unique_ptr<NpyReader>> NpyReader::Open(const std::string& path) {
  OpenedTable table = TRY(OpenTable(path));
  std::FILE* file = ::fdopen(table.fd.get(), "rb");
  if (file == nullptr) return ErrnoError(Stage::kConfigure, errno, PrintablePath(path));
  table.fd.Release();
  std::unique_ptr<NpyReader> reader(new NpyReader(file, path));
  TRY(reader->ReadHeader());
  return reader;
}

NpyReader::~NpyReader() {
  std::fclose(file_);
}

Status NpyReader::ReadHeader() {
  char start[12] = {};
  const Error none = Wrong(Code::kMalformed, "it is no file of numpy.save");
  if (std::fread(start, 1, 10, file_) != 10 || std::memcmp(start, "\x93NUMPY", 6) != 0) return none;
  size_t length = static_cast<uint8_t>(start[8]) | static_cast<size_t>(static_cast<uint8_t>(start[9])) << 8;
  if (start[6] != 1) {  // versions 2 and 3 have a longer length
    if (std::fread(start + 10, 1, 2, file_) != 2) return none;
    length |= static_cast<size_t>(static_cast<uint8_t>(start[10])) << 16 |
              static_cast<size_t>(static_cast<uint8_t>(start[11])) << 24;
  }
  if (length > kLongestHeader) return none;
  std::string header(length, '\0');
  if (std::fread(header.data(), 1, length, file_) != length) return none;
  const std::string_view type = ValueOf(header, "descr");
  width_ = type == "'<f4'" ? 4 : type == "'<f2'" ? 2 : type == "'<f8'" ? 8 : 0;
  if (width_ == 0)
    return Wrong(Code::kUnsupported, "its numbers are of type " + PrintablePath(type) +
                                         ", and float16, float32 or float64 are read (array.astype('<f4'))");
  const std::vector<uint64_t> shape = Shape(ValueOf(header, "shape"));
  if (shape.size() != 2 || ValueOf(header, "fortran_order") != "False")
    return Wrong(Code::kUnsupported,
                 "it is no array of rows: of shape (images, numbers), stored row by row "
                 "(numpy.ascontiguousarray(array))");
  if (shape[1] == 0 || shape[1] > kLongestRow)
    return Wrong(Code::kUnsupported, "its rows have " + std::to_string(shape[1]) + " numbers");
  rows_ = shape[0];
  dimension_ = shape[1];
  bytes_.resize(dimension_ * width_);
  return {};
}

Status NpyReader::Next(std::vector<float>& row) {
  if (std::fread(bytes_.data(), 1, bytes_.size(), file_) != bytes_.size()) {
    if (std::ferror(file_) != 0) return Wrong(Code::kReadError, ErrnoText(errno));
    return Wrong(Code::kTruncated, "it ends before its " + std::to_string(rows_) + " rows");
  }
  row.resize(dimension_);
  for (size_t i = 0; i < dimension_; ++i) {
    const char* from = bytes_.data() + i * width_;
    if (width_ == 4) {
      std::memcpy(&row[i], from, 4);
    } else if (width_ == 2) {
      uint16_t half = 0;
      std::memcpy(&half, from, 2);
      row[i] = FloatFromHalf(half);
    } else {
      double wide = 0;
      std::memcpy(&wide, from, 8);
      row[i] = static_cast<float>(wide);
    }
  }
  return {};
}

}  // namespace imgmill
