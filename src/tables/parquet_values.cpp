// Bytes of a page, taken apart.
#include "tables/parquet_values.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/try.h"
#include "imgmill/base/half.h"
#include "tables/decompress.h"
#include "tables/parquet_format.h"

namespace imgmill {
namespace {

using namespace parquet;

constexpr uint32_t kLongestText = 16 * 1024;  ///< four of the longest paths

uint32_t Length(const uint8_t* bytes) {
  uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

ParquetValues::ParquetValues(const FileBytes& file, const ParquetLeaf& leaf, const ParquetRoom& room)
    : file_(file),
      leaf_(leaf),
      width_(leaf.type == kDouble  ? 8
             : leaf.type == kFloat ? 4
                                   : 2),
      stored_(room.stored),
      page_(room.page),
      dictionary_(room.dictionary),
      entries_(room.entries) {}

Error ParquetValues::Damaged() const {
  return file_.Wrong(Code::kMalformed, "a page of column \"" + leaf_.column + "\" is damaged");
}

Status ParquetValues::Unpack(const ParquetPage& page, std::span<uint8_t> to) {
  const auto stored = static_cast<size_t>(page.stored);
  // Levels of the newer pages are never compressed.
  const int64_t plain =
      std::max<int64_t>(0, page.definition_bytes) + std::max<int64_t>(0, page.repetition_bytes);
  if (plain > page.stored || plain > page.bytes) return Damaged();
  const auto head = static_cast<size_t>(plain);
  if (page.codec == kUncompressed) {
    if (stored != to.size()) return Damaged();
    return file_.Read(page.offset, to);
  }
  if (stored > stored_.size()) return Damaged();
  const std::span<uint8_t> bytes = stored_.span().first(stored);
  TRY(file_.Read(page.offset, bytes));
  std::copy_n(bytes.begin(), head, to.begin());
  const std::span<uint8_t> rest = to.subspan(head);
  if (rest.empty() && stored == head) return {};
  if (!Decompress(page.codec, bytes.subspan(head), rest)) return Damaged();
  return {};
}

Status ParquetValues::LoadDictionary(const ParquetPage& page) {
  dictionary_bytes_ = static_cast<size_t>(page.bytes);
  dictionary_size_ = static_cast<size_t>(page.values);
  if (dictionary_bytes_ > dictionary_.size()) return Damaged();
  TRY(Unpack(page, dictionary_.span().first(dictionary_bytes_)));
  if (leaf_.type != kByteArray)
    return dictionary_size_ <= dictionary_bytes_ / width_ ? Status() : Status(Damaged());
  if (dictionary_size_ > entries_.size()) return Damaged();
  size_t at = 0;
  for (size_t i = 0; i < dictionary_size_; ++i) {
    entries_[i] = static_cast<uint32_t>(at);
    if (dictionary_bytes_ - at < 4) return Damaged();
    const size_t length = Length(dictionary_.data() + at);
    at += 4;
    if (length > dictionary_bytes_ - at) return Damaged();
    at += length;
  }
  return {};
}

Result<std::span<const uint8_t>> ParquetValues::TakeLevels(std::span<const uint8_t>& bytes,
                                                           int64_t length) const {
  if (length < 0) {  // the older pages say it before the levels
    if (bytes.size() < 4) return Damaged();
    length = Length(bytes.data());
    bytes = bytes.subspan(4);
  }
  if (static_cast<size_t>(length) > bytes.size()) return Damaged();
  const std::span<const uint8_t> levels = bytes.first(static_cast<size_t>(length));
  bytes = bytes.subspan(levels.size());
  return levels;
}

Status ParquetValues::Load(const ParquetPage& page) {
  if (page.kind == kDictionaryPage) return LoadDictionary(page);
  const auto size = static_cast<size_t>(page.bytes);
  if (size > page_.size()) return Damaged();
  TRY(Unpack(page, page_.span().first(size)));
  std::span<const uint8_t> bytes = page_.span().first(size);
  const bool newer = page.kind == kDataPageV2;
  if (newer && (page.definition_bytes < 0 || page.repetition_bytes < 0)) return Damaged();
  if (leaf_.repetition > 0 || newer) {
    const std::span<const uint8_t> levels = TRY(TakeLevels(bytes, page.repetition_bytes));
    repetitions_ = HybridRuns(levels, static_cast<int>(std::bit_width(leaf_.repetition)));
  }
  if (leaf_.definition > 0 || newer) {
    const std::span<const uint8_t> levels = TRY(TakeLevels(bytes, page.definition_bytes));
    definitions_ = HybridRuns(levels, static_cast<int>(std::bit_width(leaf_.definition)));
  }
  left_ = page.values;
  by_dictionary_ = page.encoding == kPlainDictionary || page.encoding == kRleDictionary;
  split_ = page.encoding == kByteStreamSplit;
  values_ = bytes;
  next_ = 0;
  count_ = bytes.size() / width_;
  if (by_dictionary_ && !bytes.empty()) {
    if (bytes[0] > 32) return Damaged();
    numbers_ = HybridRuns(bytes.subspan(1), bytes[0]);
  } else if (by_dictionary_) {
    numbers_ = HybridRuns();
  }
  return {};
}

Status ParquetValues::NextLevels(uint32_t& repetition, uint32_t& definition) {
  --left_;
  repetition = 0;
  definition = leaf_.definition;
  if (leaf_.repetition > 0 && !repetitions_.Next(repetition)) return Damaged();
  if (leaf_.definition > 0 && !definitions_.Next(definition)) return Damaged();
  return definition <= leaf_.definition ? Status() : Status(Damaged());
}

Status ParquetValues::NextText(std::string& text) {
  const uint8_t* at = values_.data();
  if (by_dictionary_) {
    uint32_t number = 0;
    if (!numbers_.Next(number) || number >= dictionary_size_) return Damaged();
    at = dictionary_.data() + entries_[number];  // whose length was checked
  } else {
    if (values_.size() < 4 || Length(at) > values_.size() - 4) return Damaged();
    values_ = values_.subspan(4 + size_t{Length(at)});
  }
  const uint32_t length = Length(at);
  if (length > kLongestText)
    return file_.Wrong(Code::kUnsupported, "column \"" + leaf_.column + "\" has a text of " +
                                               std::to_string(length) + " bytes, which is no image's path");
  text.assign(reinterpret_cast<const char*>(at) + 4, length);
  return {};
}

bool ParquetValues::NextBytes(uint8_t* bytes) {
  if (by_dictionary_) {
    uint32_t number = 0;
    if (!numbers_.Next(number) || number >= dictionary_size_) return false;
    std::memcpy(bytes, dictionary_.data() + number * width_, width_);
    return true;
  }
  if (next_ >= count_) return false;
  for (size_t i = 0; i < width_; ++i) bytes[i] = values_[split_ ? i * count_ + next_ : next_ * width_ + i];
  ++next_;
  return true;
}

float ParquetValues::Number(const uint8_t* bytes) const {
  if (width_ == 8) {
    double number = 0;
    std::memcpy(&number, bytes, sizeof number);
    return static_cast<float>(number);
  }
  if (width_ == 2) return FloatFromHalf(static_cast<uint16_t>(bytes[0] | bytes[1] << 8));
  float number = 0;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

Status ParquetValues::NextNumber(float& number) {
  uint8_t bytes[8];
  if (!NextBytes(bytes)) return Damaged();
  number = Number(bytes);
  return {};
}

}  // namespace imgmill
