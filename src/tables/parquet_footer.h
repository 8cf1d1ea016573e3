// What a Parquet file's footer says: the columns, and where their chunks are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// One column chunk: pages one after the other.
struct ParquetChunk {
  int64_t offset = 0;  ///< of its first page, of the dictionary if there is one
  int64_t bytes = 0;   ///< of all its pages
  int64_t values = 0;
  int64_t codec = 0;
};

/// A column of values, as deep as it may lie.
struct ParquetLeaf {
  std::string column;  ///< the outermost name, of one that IsRead
  int64_t type = 0;
  int64_t length = 0;              ///< bytes of a value, of kFixedLength
  bool is_half = false;            ///< of kFixedLength: its logical type is FLOAT16
  bool alone = false;              ///< no group on the way has another child
  int depth = 0, repeated_at = 0;  ///< names from the root to it, and to the innermost list's elements
  uint32_t definition = 0, repetition = 0;  ///< the largest levels
  uint32_t in_list = 0;                     ///< definition level from which on a list has an element
  std::vector<ParquetChunk> chunks;         ///< of one that IsRead

  bool IsText() const;
  bool IsVector() const;
  bool IsRead() const { return IsText() || IsVector(); }
};

struct ParquetFooter {
  uint64_t rows = 0;
  std::vector<ParquetLeaf> leaves;
};

/// kMalformed where it is none. Takes a few times the memory of the bytes.
Result<ParquetFooter> ReadParquetFooter(std::span<const uint8_t> footer);

}  // namespace imgmill
