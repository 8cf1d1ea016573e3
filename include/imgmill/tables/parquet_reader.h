// Columns of texts and of vectors out of Parquet files, as pyarrow, pandas, DuckDB and Polars write them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/memory/footprint.h"

namespace imgmill {

/// The values of one column, row by row, a page of the file in memory at once.
class ParquetColumn {
 public:
  virtual ~ParquetColumn() = default;
  /// Of a column of texts. A missing one is empty.
  virtual Status NextText(std::string& text) = 0;
  /// Of a column of vectors. A missing one is empty, a missing number in it is not a number.
  virtual Status NextVector(std::vector<float>& vector) = 0;
};

/// What is read: texts (byte arrays) that are columns of their own; lists of float, double or half, not
/// nested; plain, dictionary and byte-stream-split values; Snappy, gzip and Zstandard. Everything else is
/// kUnsupported and named, and said how to write it. Errors are of stage kConfigure.
class ParquetFile {
 public:
  static Result<std::unique_ptr<ParquetFile>> Open(const std::string& path);
  virtual ~ParquetFile() = default;

  virtual uint64_t rows() const = 0;
  /// Names of the columns that can be read as texts, and as vectors, in order.
  virtual std::vector<std::string> texts() const = 0;
  virtual std::vector<std::string> vectors() const = 0;

  /// What reading this column will hold. Looks at the heads of all of its pages, so that what cannot be read
  /// is known before any row is.
  virtual Result<Footprint> Needs(const std::string& column) = 0;
  /// From its first row on; after Needs. The file outlives it.
  virtual Result<std::unique_ptr<ParquetColumn>> Read(const std::string& column) = 0;
};

}  // namespace imgmill
