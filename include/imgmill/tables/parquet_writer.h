// Rows of values, and a vector, as a Parquet file, which pandas, pyarrow, DuckDB and Spark read.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/result.h"
#include "imgmill/memory/footprint.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

class ParquetColumnBuffer;

/// What the values of a column are: UTF-8; int64; double; boolean; milliseconds from 1970 on by a clock of no
/// known zone.
enum class ParquetKind : uint8_t { kText, kInteger, kNumber, kFlag, kTime };

struct ParquetField {
  std::string name;
  ParquetKind kind = ParquetKind::kText;
  bool optional = false;  ///< rows may lack it
};

/// A row's value of a column: a text, an integer or a time, a number, a flag; or none.
using ParquetCell = std::variant<std::monostate, std::string_view, int64_t, double, bool>;

/// Columns of single values, and behind them at most one of vectors, a list of floats each, of which none is
/// missing. Nothing is compressed, and each column of a row group is one page of plain values: the file is
/// written from its beginning to its end, a row group at a time.
/// Source: the format's specification, github.com/apache/parquet-format, version 2.9.
class ParquetWriter {
 public:
  /// Takes the next bytes of the file.
  using Sink = std::function<Status(const void* data, size_t bytes)>;

  /// A row group is full when its vectors take the first, or its other values the second; of a table without
  /// vectors the third, since readers pass over whole row groups.
  static constexpr size_t kVectorBytes = 4 * kMiB, kCellBytes = kMiB, kTableBytes = 4 * kMiB;
  /// What one with vectors holds, and one without whose rows take no more than a MiB.
  static Footprint Held() { return {kVectorBytes, 2 * kCellBytes}; }
  static Footprint HeldByTable() { return {0, 2 * (kTableBytes + kMiB)}; }

  /// @param vectors  the name of their column; empty for none
  ParquetWriter(std::vector<ParquetField> fields, std::string vectors, Sink put);
  ~ParquetWriter();

  /// One more row. Vectors are of one length, of at most kVectorBytes.
  Status Add(std::span<const ParquetCell> cells, std::span<const float> vector = {});

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

  std::vector<ParquetColumnBuffer> columns_;  ///< of the row group
  const std::string vectors_;
  const Sink put_;
  int64_t written_ = 0;
  PoolArray<float> values_;
  size_t dimension_ = 0;
  int64_t rows_ = 0;  ///< of the row group
  std::vector<Group> groups_;
};

}  // namespace imgmill
