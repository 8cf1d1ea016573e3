// One page's levels and values, and the dictionary that its values may be numbers of.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/memory/pool_array.h"
#include "tables/hybrid_runs.h"
#include "tables/parquet_pages.h"

namespace imgmill {

/// What pages of a column take at most.
struct ParquetRoom {
  size_t stored = 0, page = 0, dictionary = 0, entries = 0;
  size_t bytes() const { return stored + page + dictionary + entries * sizeof(uint32_t); }
};

class ParquetValues {
 public:
  ParquetValues(const FileBytes& file, const ParquetLeaf& leaf, const ParquetRoom& room);

  /// Of a page of values, or a dictionary.
  Status Load(const ParquetPage& page);

  /// Levels that are left in the page.
  int64_t left() const { return left_; }
  /// The levels of the next place. A value follows where the definition is the leaf's.
  Status NextLevels(uint32_t& repetition, uint32_t& definition);
  Status NextText(std::string& text);
  Status NextNumber(float& number);

 private:
  Status Unpack(const ParquetPage& page, std::span<uint8_t> to);
  Status LoadDictionary(const ParquetPage& page);
  Result<std::span<const uint8_t>> TakeLevels(std::span<const uint8_t>& bytes, int64_t length) const;
  /// Of a number, in a row.
  bool NextBytes(uint8_t* bytes);
  float Number(const uint8_t* bytes) const;
  Error Damaged() const;

  const FileBytes& file_;
  const ParquetLeaf& leaf_;
  const size_t width_;  ///< of a number, in bytes
  PoolArray<uint8_t> stored_, page_, dictionary_;
  PoolArray<uint32_t> entries_;  ///< where texts of the dictionary begin
  size_t dictionary_bytes_ = 0, dictionary_size_ = 0;
  HybridRuns repetitions_, definitions_, numbers_;
  int64_t left_ = 0;
  bool by_dictionary_ = false, split_ = false;
  std::span<const uint8_t> values_;
  size_t next_ = 0, count_ = 0;  ///< of split values
};

}  // namespace imgmill
