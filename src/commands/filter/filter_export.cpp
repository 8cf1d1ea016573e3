// All signals of all images as a table: CSV (RFC 4180), one JSON object a line, or Parquet.
#include "filter_export.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/try.h"
#include "commands/csv_cell.h"
#include "commands/export_target.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/tables/parquet_writer.h"

namespace imgmill {
namespace {

std::string Exact(double value) {
  char text[32];
  const auto [end, problem] = std::to_chars(text, text + sizeof text, value);
  return problem == std::errc() ? std::string(text, end) : std::string();
}

/// The columns of signals: those that images can have.
std::vector<const SignalInfo*> Columns(const SignalFacts& facts) {
  std::vector<const SignalInfo*> columns;
  for (const SignalInfo& info : AllSignals()) {
    if (facts.Has(info)) columns.push_back(&info);
  }
  return columns;
}

std::string CsvHead(std::span<const SignalInfo* const> columns) {
  std::string line = "path,kept,dropped_by";
  for (const SignalInfo* info : columns) line += "," + std::string(info->name);
  for (const PhotoTextInfo& info : AllPhotoTexts()) line += "," + std::string(info.name);
  return line + "\n";
}

/// The rules that the entry breaks, with a semicolon between them; empty where it is kept.
std::string DroppedBy(const FilterEntry& entry, std::span<const AppliedRule> rules) {
  const uint64_t broken_rules = BrokenRules(rules, entry);
  std::string broken;
  for (size_t r = 0; r < rules.size(); ++r) {
    if ((broken_rules >> r & 1) != 0) broken += (broken.empty() ? "" : "; ") + rules[r].rule.text;
  }
  return broken;
}

std::string CsvRow(const FilterEntry& entry, std::span<const AppliedRule> rules,
                   std::span<const SignalInfo* const> columns, const ImageFacts& facts) {
  const std::string broken = DroppedBy(entry, rules);
  std::string line =
      CsvCell(PrintablePath(entry.file.path)) + (broken.empty() ? ",1," : ",0,") + CsvCell(broken);
  for (const SignalInfo* info : columns) {
    line += ",";
    const std::optional<double>& value = facts.values[info->signal];
    if (value) line += info->signal == Signal::kDate ? DateText(*value) : Exact(*value);
  }
  for (const std::string& text : facts.texts) line += "," + CsvCell(text);
  return line + "\n";
}

std::string JsonRow(const FilterEntry& entry, std::span<const AppliedRule> rules,
                    std::span<const SignalInfo* const> columns, const ImageFacts& facts) {
  const uint64_t broken_rules = BrokenRules(rules, entry);
  nlohmann::ordered_json row = {{"path", PrintablePath(entry.file.path)}, {"kept", broken_rules == 0}};
  nlohmann::ordered_json& broken = row["dropped_by"] = nlohmann::ordered_json::array();
  for (size_t r = 0; r < rules.size(); ++r) {
    if ((broken_rules >> r & 1) != 0) broken.push_back(rules[r].rule.text);
  }
  for (const SignalInfo* info : columns) {
    nlohmann::ordered_json& cell = row[std::string(info->name)];
    const std::optional<double>& value = facts.values[info->signal];
    if (value) cell = JsonValue(info->signal, *value);
  }
  for (const PhotoTextInfo& info : AllPhotoTexts()) {
    const std::string& text = facts.texts[static_cast<size_t>(info.text)];
    nlohmann::ordered_json& cell = row[std::string(info.name)];
    if (!text.empty()) cell = text;
  }
  return row.dump() + "\n";
}

std::vector<ParquetField> ParquetFields(std::span<const SignalInfo* const> columns) {
  using Kind = ParquetKind;
  std::vector<ParquetField> fields = {
      {"path"}, {"kept", Kind::kFlag}, {"dropped_by", Kind::kText, /*optional=*/true}};
  for (const SignalInfo* info : columns)
    fields.push_back({std::string(info->name), info->signal == Signal::kDate ? Kind::kTime : Kind::kNumber,
                      /*optional=*/true});
  for (const PhotoTextInfo& info : AllPhotoTexts())
    fields.push_back({std::string(info.name), Kind::kText, /*optional=*/true});
  return fields;
}

Status PutParquetRow(const FilterEntry& entry, std::span<const AppliedRule> rules,
                     std::span<const SignalInfo* const> columns, const ImageFacts& facts,
                     ParquetWriter& table) {
  const auto text = [](const std::string& each) { return each.empty() ? ParquetCell() : ParquetCell(each); };
  const std::string path = PrintablePath(entry.file.path), broken = DroppedBy(entry, rules);
  std::vector<ParquetCell> cells = {path, broken.empty(), text(broken)};
  for (const SignalInfo* info : columns) {
    const std::optional<double>& value = facts.values[info->signal];
    if (!value) {
      cells.emplace_back();
    } else if (info->signal == Signal::kDate) {
      cells.emplace_back(static_cast<int64_t>(*value) * 1000);  // in milliseconds
    } else {
      cells.emplace_back(*value);
    }
  }
  for (const PhotoTextInfo& info : AllPhotoTexts())
    cells.push_back(text(facts.texts[static_cast<size_t>(info.text)]));
  return table.Add(cells);
}

Status WriteRows(std::FILE* file, const std::string& path, const FilterTable& entries,
                 std::span<const AppliedRule> rules, const SignalFacts& facts) {
  const auto put = [&](const void* data, size_t bytes) -> Status {
    if (std::fwrite(data, 1, bytes, file) == bytes) return {};
    return ErrnoError(Stage::kWrite, errno, "write the export");
  };
  const auto put_line = [&](const std::string& line) { return put(line.data(), line.size()); };
  const std::vector<const SignalInfo*> columns = Columns(facts);
  const bool csv = path.ends_with(".csv");
  std::optional<ParquetWriter> table;
  if (path.ends_with(".parquet")) table.emplace(ParquetFields(columns), "", put);
  if (csv) TRY(put_line(CsvHead(columns)));
  const auto write = [&](const FilterEntry& entry) -> Status {
    ImageFacts known;
    if (!facts.Find(entry.content, {.pixels = true, .exif = true}, known)) {
      return Error{Stage::kCatalog, Code::kReadError,
                   "the catalog lost the signals of " + PrintablePath(entry.file.path) + " (run again)"};
    }
    if (table) return PutParquetRow(entry, rules, columns, known, *table);
    return put_line((csv ? CsvRow : JsonRow)(entry, rules, columns, known));
  };
  TRY(entries.ForEach(write));
  if (table) TRY(table->Finish({}));
  if (std::fflush(file) != 0) return ErrnoError(Stage::kWrite, errno, "write the export");
  return {};
}

}  // namespace

bool IsExportName(const std::string& path) {
  return path.ends_with(".csv") || path.ends_with(".jsonl") || path.ends_with(".parquet");
}

Footprint ExportHolds(const std::string& path) {
  return path.ends_with(".parquet") ? ParquetWriter::HeldByTable() : Footprint{};
}

Status ExportSignals(const std::string& path, const FilterTable& entries, std::span<const AppliedRule> rules,
                     const SignalFacts& facts) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  SweepTemporaries(folder.empty() ? "." : folder.string(), /*recursive=*/false);
  const std::string temporary = TemporaryNameFor(path);
  std::FILE* file = std::fopen(temporary.c_str(), "wbe");
  if (file == nullptr) return OfTarget("--export", path, ErrnoError(Stage::kWrite, errno, "create the file"));
  Status status = WriteRows(file, path, entries, rules, facts);
  if (std::fclose(file) != 0 && status) status = ErrnoError(Stage::kWrite, errno, "write the export");
  if (status) status = Publish(temporary, path, /*overwrite=*/true);
  if (status) return {};
  ::unlink(temporary.c_str());
  return OfTarget("--export", path, status.error());
}

}  // namespace imgmill
