// Row groups as they fill up, and the footer that says where they are.
#include "imgmill/tables/parquet_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/try.h"
#include "tables/parquet_format.h"
#include "tables/thrift_writer.h"

namespace imgmill {
namespace {

using namespace parquet;
using Type = ThriftWriter::Type;

static_assert(std::endian::native == std::endian::little, "Parquet's numbers are little-endian");

std::string Number32(size_t value) {
  const auto number = static_cast<uint32_t>(value);
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// A run of one level, 0 or 1, in the hybrid of runs and bit-packing.
void AppendRun(std::string& runs, uint64_t count, char level) {
  uint64_t header = count << 1;
  for (; header >= 0x80; header >>= 7) runs += static_cast<char>(header | 0x80);
  runs += static_cast<char>(header);
  runs += level;
}

void PutLeaf(ThriftWriter& footer, int32_t type, const std::string& name, bool is_text) {
  footer.BeginElement();
  footer.Integer32(1, type);
  footer.Integer32(3, kRequired);
  footer.Binary(4, name);
  if (is_text) {
    footer.Integer32(6, kUtf8);
    footer.BeginStruct(10);  // the same in newer words
    footer.BeginStruct(1);
    footer.EndStruct();
    footer.EndStruct();
  }
  footer.EndElement();
}

/// A list in three levels, as the specification wants it: NAME (LIST), "list", "element".
void PutVectorColumn(ThriftWriter& footer, const std::string& name) {
  footer.BeginElement();
  footer.Integer32(3, kRequired);
  footer.Binary(4, name);
  footer.Integer32(5, 1);
  footer.Integer32(6, kList);
  footer.BeginStruct(10);
  footer.BeginStruct(3);
  footer.EndStruct();
  footer.EndStruct();
  footer.EndElement();
  footer.BeginElement();
  footer.Integer32(3, kRepeated);
  footer.Binary(4, "list");
  footer.Integer32(5, 1);
  footer.EndElement();
  PutLeaf(footer, kFloat, "element", false);
}

std::string PageHeader(size_t bytes, int64_t values) {
  ThriftWriter page;
  page.Integer32(1, kDataPage);
  page.Integer32(2, static_cast<int32_t>(bytes));
  page.Integer32(3, static_cast<int32_t>(bytes));
  page.BeginStruct(5);
  page.Integer32(1, static_cast<int32_t>(values));
  page.Integer32(2, kPlain);
  page.Integer32(3, kRle);
  page.Integer32(4, kRle);
  page.EndStruct();
  return page.Finish();
}

}  // namespace

ParquetWriter::ParquetWriter(std::vector<std::string> texts, std::string vectors, Sink put)
    : names_(std::move(texts)), vectors_(std::move(vectors)), put_(std::move(put)), texts_(names_.size()) {}

Status ParquetWriter::Put(std::string_view bytes) {
  written_ += static_cast<int64_t>(bytes.size());
  return put_(bytes.data(), bytes.size());
}

Status ParquetWriter::Add(std::span<const std::string_view> texts, std::span<const float> vector) {
  if (written_ == 0) TRY(Put(kMagic));
  if (!vectors_.empty() && dimension_ == 0) {
    dimension_ = vector.size();
    values_ = PoolArray<float>(kVectorBytes / sizeof(float));
  }
  if (texts.size() != names_.size() || vector.size() != dimension_ || vector.size_bytes() > kVectorBytes)
    return Error{Stage::kWrite, Code::kInternal, "a row that does not fit the table"};
  for (size_t i = 0; i < texts.size(); ++i) {
    texts_[i] += Number32(texts[i].size());
    texts_[i] += texts[i];
  }
  std::copy(vector.begin(), vector.end(), values_.data() + static_cast<size_t>(rows_) * dimension_);
  ++rows_;
  size_t text_bytes = 0;
  for (const std::string& column : texts_) text_bytes += column.size();
  const bool full = (static_cast<size_t>(rows_) + 1) * vector.size_bytes() > kVectorBytes;
  return full || text_bytes >= kTextBytes ? EndGroup() : Status();
}

std::string ParquetWriter::Levels() const {
  std::string repetition, definition;
  for (int64_t row = 0; row < rows_; ++row) {
    AppendRun(repetition, 1, 0);  // a new list, and what follows in it
    if (dimension_ > 1) AppendRun(repetition, dimension_ - 1, 1);
  }
  AppendRun(definition, static_cast<uint64_t>(rows_) * dimension_, 1);
  return Number32(repetition.size()) + repetition + Number32(definition.size()) + definition;
}

Status ParquetWriter::PutPage(Group& group, int64_t values, std::string_view levels, const void* data,
                              size_t bytes) {
  const int64_t offset = written_;
  TRY(Put(PageHeader(levels.size() + bytes, values)));
  TRY(Put(levels));
  TRY(Put({static_cast<const char*>(data), bytes}));
  group.columns.push_back({offset, written_ - offset, values});
  return {};
}

Status ParquetWriter::EndGroup() {
  if (rows_ == 0) return {};
  Group group;
  group.rows = rows_;
  for (std::string& column : texts_) {
    TRY(PutPage(group, rows_, {}, column.data(), column.size()));
    column.clear();
  }
  if (!vectors_.empty()) {
    const size_t count = static_cast<size_t>(rows_) * dimension_;
    TRY(PutPage(group, static_cast<int64_t>(count), Levels(), values_.data(), count * sizeof(float)));
  }
  groups_.push_back(std::move(group));
  rows_ = 0;
  return {};
}

std::string ParquetWriter::Footer(std::span<const std::pair<std::string, std::string>> notes) const {
  ThriftWriter footer;
  footer.Integer32(1, 1);  // version: that of the plain pages
  const size_t lists = vectors_.empty() ? 0 : 1;
  footer.BeginList(2, Type::kStruct, 1 + names_.size() + 3 * lists);
  footer.BeginElement();
  footer.Binary(4, "schema");
  footer.Integer32(5, static_cast<int32_t>(names_.size() + lists));
  footer.EndElement();
  for (const std::string& name : names_) PutLeaf(footer, kByteArray, name, true);
  if (lists > 0) PutVectorColumn(footer, vectors_);
  int64_t rows = 0;
  for (const Group& group : groups_) rows += group.rows;
  footer.Integer64(3, rows);
  footer.BeginList(4, Type::kStruct, groups_.size());
  for (const Group& group : groups_) {
    footer.BeginElement();
    footer.BeginList(1, Type::kStruct, group.columns.size());
    int64_t bytes = 0;
    for (size_t i = 0; i < group.columns.size(); ++i) {
      const Chunk& chunk = group.columns[i];
      const bool is_text = i < names_.size();
      bytes += chunk.bytes;
      footer.BeginElement();
      footer.Integer64(2, chunk.offset);
      footer.BeginStruct(3);
      footer.Integer32(1, is_text ? kByteArray : kFloat);
      footer.BeginList(2, Type::kI32, 2);
      footer.Element(kPlain);
      footer.Element(kRle);
      footer.BeginList(3, Type::kBinary, is_text ? 1 : 3);
      footer.Element(std::string_view(is_text ? names_[i] : vectors_));
      if (!is_text) footer.Element(std::string_view("list"));
      if (!is_text) footer.Element(std::string_view("element"));
      footer.Integer32(4, kUncompressed);
      footer.Integer64(5, chunk.values);
      footer.Integer64(6, chunk.bytes);
      footer.Integer64(7, chunk.bytes);
      footer.Integer64(9, chunk.offset);
      footer.EndStruct();
      footer.EndElement();
    }
    footer.Integer64(2, bytes);
    footer.Integer64(3, group.rows);
    footer.EndElement();
  }
  if (!notes.empty()) footer.BeginList(5, Type::kStruct, notes.size());
  for (const auto& [name, value] : notes) {
    footer.BeginElement();
    footer.Binary(1, name);
    footer.Binary(2, value);
    footer.EndElement();
  }
  footer.Binary(6, "imgmill");
  return footer.Finish();
}

Status ParquetWriter::Finish(std::span<const std::pair<std::string, std::string>> notes) {
  if (written_ == 0) TRY(Put(kMagic));
  TRY(EndGroup());
  const std::string footer = Footer(notes);
  TRY(Put(footer));
  TRY(Put(Number32(footer.size())));
  return Put(kMagic);
}

}  // namespace imgmill
