// The values of one column until a row group is full: plain, and beside them which rows have none.
#pragma once

#include <cstdint>
#include <string>

#include "imgmill/tables/parquet_writer.h"

namespace imgmill {

/// A number in four bytes, as Parquet has it before what it is the length of.
std::string ParquetLength(size_t value);

/// A run of one level, 0 or 1, in the hybrid of runs and bit-packing.
void AppendParquetRun(std::string& runs, uint64_t count, char level);

class ParquetColumnBuffer {
 public:
  explicit ParquetColumnBuffer(ParquetField field) : field_(std::move(field)) {}

  const ParquetField& field() const { return field_; }
  /// False for a value of another kind, and for none where there must be one.
  bool Add(const ParquetCell& cell);
  /// Values of all rows.
  const std::string& values() const { return values_; }
  /// Definition levels with their length; empty where no value can be missing.
  std::string Levels() const;
  void Clear();

 private:
  bool AddValue(const ParquetCell& cell);

  ParquetField field_;
  std::string values_;
  uint64_t flags_ = 0;  ///< of kFlag: how many there are
  std::string runs_;    ///< of levels
  uint64_t run_ = 0;    ///< rows of the last one
  char level_ = 0;
};

}  // namespace imgmill
