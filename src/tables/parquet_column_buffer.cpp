// Values as Parquet's plain encoding has them.
#include "tables/parquet_column_buffer.h"

#include <bit>

namespace imgmill {
namespace {

static_assert(std::endian::native == std::endian::little, "Parquet's numbers are little-endian");

template <typename T>
void Append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::string ParquetLength(size_t value) {
  std::string bytes;
  Append(bytes, static_cast<uint32_t>(value));
  return bytes;
}

void AppendParquetRun(std::string& runs, uint64_t count, char level) {
  uint64_t header = count << 1;
  for (; header >= 0x80; header >>= 7) runs += static_cast<char>(header | 0x80);
  runs += static_cast<char>(header);
  runs += level;
}

bool ParquetColumnBuffer::AddValue(const ParquetCell& cell) {
  if (field_.kind == ParquetKind::kText) {
    const auto* text = std::get_if<std::string_view>(&cell);
    if (text == nullptr) return false;
    Append(values_, static_cast<uint32_t>(text->size()));
    values_ += *text;
  } else if (field_.kind == ParquetKind::kNumber) {
    const auto* number = std::get_if<double>(&cell);
    if (number == nullptr) return false;
    Append(values_, *number);
  } else if (field_.kind == ParquetKind::kFlag) {
    const auto* flag = std::get_if<bool>(&cell);
    if (flag == nullptr) return false;
    if (flags_ % 8 == 0) values_ += '\0';
    if (*flag) values_.back() = static_cast<char>(values_.back() | 1 << flags_ % 8);
    ++flags_;
  } else {
    const auto* integer = std::get_if<int64_t>(&cell);
    if (integer == nullptr) return false;
    Append(values_, *integer);
  }
  return true;
}

bool ParquetColumnBuffer::Add(const ParquetCell& cell) {
  const bool missing = std::holds_alternative<std::monostate>(cell);
  if (missing ? !field_.optional : !AddValue(cell)) return false;
  if (!field_.optional) return true;
  const char level = missing ? 0 : 1;
  if (level != level_ && run_ > 0) {
    AppendParquetRun(runs_, run_, level_);
    run_ = 0;
  }
  level_ = level;
  ++run_;
  return true;
}

std::string ParquetColumnBuffer::Levels() const {
  if (!field_.optional) return {};
  std::string runs = runs_;
  AppendParquetRun(runs, run_, level_);
  return ParquetLength(runs.size()) + runs;
}

void ParquetColumnBuffer::Clear() {
  values_.clear();
  runs_.clear();
  flags_ = run_ = 0;
}

}  // namespace imgmill
