// The rows of a NumPy array of two dimensions, one after the other.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// Files of numpy.save, of any version, of float16, float32 or float64 in rows. Errors are of stage
/// kConfigure and name the file.
class NpyReader {
 public:
  static Result<std::unique_ptr<NpyReader>> Open(const std::string& path);
  ~NpyReader();
  NpyReader(const NpyReader&) = delete;
  NpyReader& operator=(const NpyReader&) = delete;

  uint64_t rows() const { return rows_; }
  size_t dimension() const { return dimension_; }
  /// For each row once.
  Status Next(std::vector<float>& row);

 private:
  NpyReader(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  Status ReadHeader();
  Error Wrong(Code code, const std::string& what) const;

  std::FILE* const file_;
  const std::string path_;
  uint64_t rows_ = 0;
  size_t dimension_ = 0;
  size_t width_ = 0;  ///< bytes of a number
  std::vector<char> bytes_;
};

}  // namespace imgmill
