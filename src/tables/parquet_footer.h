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
  std::string column;  ///< the outermost name
  int64_t type = 0;
  int64_t length = 0;                       ///< bytes of a value, of kFixedLength
  int depth = 0;                            ///< names from the root
  uint32_t definition = 0, repetition = 0;  ///< the largest levels
  uint32_t in_list = 0;                     ///< definition level from which on a list has an element
  std::vector<ParquetChunk> chunks;

  bool IsText() const;
  bool IsVector() const;
};

struct ParquetFooter {
  uint64_t rows = 0;
  std::vector<ParquetLeaf> leaves;
};

/// kMalformed where it is none.
Result<ParquetFooter> ReadParquetFooter(std::span<const uint8_t> footer);

}  // namespace imgmill
