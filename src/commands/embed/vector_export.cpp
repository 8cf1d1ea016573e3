// The formats by the names of files, and those of a line a row: .csv and .jsonl.
#include "vector_export.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "commands/csv_cell.h"
#include "commands/growing_file.h"
#include "commands/table_exports.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// The shortest text that gives the same float again.
void AppendFloat(std::string& text, float value) {
  char digits[32];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// A text file of a line an image.
class LinesExport : public VectorExport {
 public:
  explicit LinesExport(std::unique_ptr<GrowingFile> file) : file_(std::move(file)) {}
  Status Commit() override { return file_->Commit(); }
  std::vector<std::string> files() const override { return {file_->path()}; }

 protected:
  Status Write(std::string_view text) { return file_->Write(text); }

 private:
  std::unique_ptr<GrowingFile> file_;
};

class CsvExport final : public LinesExport {
 public:
  using LinesExport::LinesExport;
  Status Add(const std::string& path, const std::string&, std::span<const float> vector) override {
    std::string line;
    if (!begun_) {
      line = "path";
      for (size_t i = 0; i < vector.size(); ++i) line += ",v" + std::to_string(i);
      line += "\r\n";  // RFC 4180
      begun_ = true;
    }
    line += CsvQuoted(PrintablePath(path));
    for (const float value : vector) {
      line += ',';
      AppendFloat(line, value);
    }
    return Write(line + "\r\n");
  }

 private:
  bool begun_ = false;
};

class JsonLinesExport final : public LinesExport {
 public:
  using LinesExport::LinesExport;
  Status Add(const std::string& path, const std::string& content, std::span<const float> vector) override {
    std::string line = R"({"path":)" + nlohmann::json(PrintablePath(path)).dump() + R"(,"content":")" +
                       content + R"(","vector":[)";
    for (size_t i = 0; i < vector.size(); ++i) {
      if (i > 0) line += ',';
      AppendFloat(line, vector[i]);
    }
    return Write(line + "]}\n");
  }
};

}  // namespace

std::vector<std::string> VectorExport::FilesOf(const std::string& path) {
  if (path.ends_with('/')) return {path + kClipVectors, path + kClipNames};
  if (path.ends_with(".npy")) return {path, path.substr(0, path.size() - 4) + ".paths.txt"};
  return {path};
}

bool VectorExport::Knows(std::string_view path) {
  return path.ends_with(".npy") || path.ends_with(".parquet") || path.ends_with(".csv") ||
         path.ends_with(".jsonl") || path.ends_with('/');
}

Status VectorExport::MayCreate(const std::string& path, Catalog& catalog, bool overwrite) {
  for (const std::string& file : FilesOf(path)) TRY(GrowingFile::MayCreate(file, catalog, overwrite));
  return {};
}

Result<std::unique_ptr<VectorExport>> VectorExport::Create(const std::string& path, const std::string& kind,
                                                           const CommandServices& services, bool overwrite) {
  std::vector<std::unique_ptr<GrowingFile>> files;
  for (const std::string& name : FilesOf(path)) {
    std::unique_ptr<GrowingFile> file = TRY(GrowingFile::Create(name, *services.catalog, overwrite));
    files.push_back(std::move(file));
  }
  if (path.ends_with(".csv")) return std::unique_ptr<VectorExport>(new CsvExport(std::move(files[0])));
  if (path.ends_with(".jsonl"))
    return std::unique_ptr<VectorExport>(new JsonLinesExport(std::move(files[0])));
  if (path.ends_with(".npy")) return MakeNumpyExport(std::move(files[0]), std::move(files[1]));
  const bool has_vectors = !path.ends_with('/');
  const Footprint held = has_vectors ? ParquetWriter::Held() : ParquetWriter::HeldByTable();
  Lease lease = TRY(services.memory->Acquire(held, *services.stop));
  if (!has_vectors) return MakeClipExport(std::move(files[0]), std::move(files[1]), std::move(lease));
  return MakeParquetExport(std::move(files[0]), kind, std::move(lease));
}

}  // namespace imgmill
