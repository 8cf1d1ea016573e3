// Rows of texts and a vector as a Parquet file, which pandas, pyarrow, DuckDB and Spark read.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/result.h"
#include "imgmill/memory/footprint.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Columns of texts (UTF-8), and behind them at most one of vectors, a list of floats each. No value is
/// missing, nothing is compressed, and each column of a row group is one page of plain values: the file is
/// written from its beginning to its end, a row group at a time.
/// Source: the format's specification, github.com/apache/parquet-format, version 2.9.
class ParquetWriter {
 public:
  /// Takes the next bytes of the file.
  using Sink = std::function<Status(const void* data, size_t bytes)>;

  /// What one holds. A row group is full when either is.
  static constexpr size_t kVectorBytes = 4 * kMiB, kTextBytes = kMiB;
  static Footprint Held() { return {kVectorBytes, 2 * kTextBytes}; }

  /// @param vectors  the name of their column; empty for none
  ParquetWriter(std::vector<std::string> texts, std::string vectors, Sink put);

  /// One more row. Vectors are of one length, of at most kVectorBytes.
  Status Add(std::span<const std::string_view> texts, std::span<const float> vector);

  /// The last row group, and the footer. @param notes  names and values that the file carries
  Status Finish(std::span<const std::pair<std::string, std::string>> notes);

 private:
  struct Chunk {
    int64_t offset = 0, bytes = 0, values = 0;
  };
  struct Group {
    std::vector<Chunk> columns;
    int64_t rows = 0;
  };

  Status Put(std::string_view bytes);
  Status EndGroup();
  Status PutPage(Group& group, int64_t values, std::string_view levels, const void* data, size_t bytes);
  std::string Levels() const;
  std::string Footer(std::span<const std::pair<std::string, std::string>> notes) const;

  const std::vector<std::string> names_;  ///< of texts
  const std::string vectors_;
  const Sink put_;
  int64_t written_ = 0;
  std::vector<std::string> texts_;  ///< of the row group, by column
  PoolArray<float> values_;
  size_t dimension_ = 0;
  int64_t rows_ = 0;  ///< of the row group
  std::vector<Group> groups_;
};

}  // namespace imgmill
