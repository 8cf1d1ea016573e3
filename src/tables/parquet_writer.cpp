// Row groups as they fill up, and the footer that says where they are.
#include "imgmill/tables/parquet_writer.h"

#include <algorithm>

#include "base/try.h"
#include "tables/parquet_column_buffer.h"
#include "tables/parquet_format.h"
#include "tables/thrift_writer.h"

namespace imgmill {
namespace {

using namespace parquet;
using Type = ThriftWriter::Type;

int32_t TypeOf(ParquetKind kind) {
  switch (kind) {
    case ParquetKind::kText:
      return kByteArray;
    case ParquetKind::kNumber:
      return kDouble;
    case ParquetKind::kFlag:
      return kBoolean;
    default:
      return kInt64;
  }
}

/// What the bytes mean, where the type does not say it.
void PutMeaning(ThriftWriter& footer, ParquetKind kind) {
  if (kind != ParquetKind::kText && kind != ParquetKind::kTime) return;
  if (kind == ParquetKind::kText) footer.Integer32(6, kUtf8);
  footer.BeginStruct(10);  // the same in newer words
  if (kind == ParquetKind::kText) {
    footer.BeginStruct(1);
  } else {
    footer.BeginStruct(8);     // a timestamp
    footer.Boolean(1, false);  // not in UTC
    footer.BeginStruct(2);     // in
    footer.BeginStruct(1);     // milliseconds
    footer.EndStruct();
    footer.EndStruct();
  }
  footer.EndStruct();
  footer.EndStruct();
}

void PutColumn(ThriftWriter& footer, const ParquetField& field) {
  footer.BeginElement();
  footer.Integer32(1, TypeOf(field.kind));
  footer.Integer32(3, field.optional ? kOptional : kRequired);
  footer.Binary(4, field.name);
  PutMeaning(footer, field.kind);
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
  footer.BeginElement();
  footer.Integer32(1, kFloat);
  footer.Integer32(3, kRequired);
  footer.Binary(4, "element");
  footer.EndElement();
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

ParquetWriter::ParquetWriter(std::vector<ParquetField> fields, std::string vectors, Sink put)
    : vectors_(std::move(vectors)), put_(std::move(put)) {
  for (ParquetField& field : fields) columns_.emplace_back(std::move(field));
}

ParquetWriter::~ParquetWriter() = default;

Status ParquetWriter::Put(std::string_view bytes) {
  written_ += static_cast<int64_t>(bytes.size());
  return put_(bytes.data(), bytes.size());
}

Status ParquetWriter::Add(std::span<const ParquetCell> cells, std::span<const float> vector) {
  if (written_ == 0) TRY(Put(kMagic));
  if (!vectors_.empty() && dimension_ == 0) {
    dimension_ = vector.size();
    values_ = PoolArray<float>(kVectorBytes / sizeof(float));
  }
  bool fits =
      cells.size() == columns_.size() && vector.size() == dimension_ && vector.size_bytes() <= kVectorBytes;
  size_t bytes = 0;
  for (size_t i = 0; i < cells.size() && fits; ++i) {
    fits = columns_[i].Add(cells[i]);
    bytes += columns_[i].values().size();
  }
  if (!fits) return Error{Stage::kWrite, Code::kInternal, "a row that does not fit the table"};
  std::copy(vector.begin(), vector.end(), values_.data() + static_cast<size_t>(rows_) * dimension_);
  ++rows_;
  const bool full = (static_cast<size_t>(rows_) + 1) * vector.size_bytes() > kVectorBytes;
  return full || bytes >= (vectors_.empty() ? kTableBytes : kCellBytes) ? EndGroup() : Status();
}

std::string ParquetWriter::Levels() const {
  std::string repetition, definition;
  for (int64_t row = 0; row < rows_; ++row) {
    AppendParquetRun(repetition, 1, 0);  // a new list, and what follows in it
    if (dimension_ > 1) AppendParquetRun(repetition, dimension_ - 1, 1);
  }
  AppendParquetRun(definition, static_cast<uint64_t>(rows_) * dimension_, 1);
  return ParquetLength(repetition.size()) + repetition + ParquetLength(definition.size()) + definition;
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
  for (ParquetColumnBuffer& column : columns_) {
    TRY(PutPage(group, rows_, column.Levels(), column.values().data(), column.values().size()));
    column.Clear();
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
  footer.BeginList(2, Type::kStruct, 1 + columns_.size() + 3 * lists);
  footer.BeginElement();
  footer.Binary(4, "schema");
  footer.Integer32(5, static_cast<int32_t>(columns_.size() + lists));
  footer.EndElement();
  for (const ParquetColumnBuffer& column : columns_) PutColumn(footer, column.field());
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
      const bool is_vector = i == columns_.size();
      bytes += chunk.bytes;
      footer.BeginElement();
      footer.Integer64(2, chunk.offset);
      footer.BeginStruct(3);
      footer.Integer32(1, is_vector ? kFloat : TypeOf(columns_[i].field().kind));
      footer.BeginList(2, Type::kI32, 2);
      footer.Element(kPlain);
      footer.Element(kRle);
      footer.BeginList(3, Type::kBinary, is_vector ? 3 : 1);
      footer.Element(std::string_view(is_vector ? vectors_ : columns_[i].field().name));
      if (is_vector) footer.Element(std::string_view("list"));
      if (is_vector) footer.Element(std::string_view("element"));
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
  TRY(Put(ParquetLength(footer.size())));
  return Put(kMagic);
}

}  // namespace imgmill
