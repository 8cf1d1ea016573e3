// Names and vectors may come from one file, two, or two folders of parts.
#include "vector_table.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/listed_paths.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/tables/npy_reader.h"
#include "imgmill/tables/parquet_reader.h"

namespace imgmill {
namespace {

using Names = TableColumn<std::string>;
using Vectors = TableColumn<std::vector<float>>;

Error Wrong(const std::string& file, const std::string& what) {
  return {Stage::kConfigure, Code::kUsage, PrintablePath(file) + ": " + what};
}

/// A line each, as `--export` writes them.
class ListedNames final : public Names {
 public:
  /// @param vectors  how many rows there are to name: empty lines at the end, as editors leave them, that
  ///   would be more are none
  static Result<std::unique_ptr<Names>> Open(const std::string& path, uint64_t vectors) {
    // A FIFO would be waited for, and cannot be read twice.
    if (std::error_code none;
        std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none))
      return Wrong(path, "it is no regular file (it should have the images' paths, a line each)");
    auto names = std::make_unique<ListedNames>(path);
    TRY(names->Begin());
    std::string name;
    uint64_t lines = 0, named = 0;  // the latter without empty ones at the end
    while (TRY(names->NextLine(name))) {
      ++lines;
      if (!name.empty()) named = lines;
    }
    names->rows_ = std::clamp(vectors, named, lines);
    return std::unique_ptr<Names>(std::move(names));
  }
  explicit ListedNames(std::string path) : path_(std::move(path)) {}

  uint64_t rows() const override { return rows_; }
  Result<Footprint> Needs() override { return Footprint{0, 64 * kKiB}; }
  Status Begin() override {
    lines_ = std::ifstream(path_);
    paths_ = ListedPaths(/*lines=*/true);
    if (lines_) return {};
    return Wrong(path_, "it cannot be opened (it should have the images' paths, a line each)");
  }
  Status Next(std::string& name) override {
    const bool there = TRY(NextLine(name));
    if (!there) return Wrong(path_, "it has become shorter");
    return {};
  }

 private:
  /// False at the end.
  Result<bool> NextLine(std::string& name) {
    char text[kLongestPath + 1];
    lines_.getline(text, sizeof text);
    const auto taken = static_cast<size_t>(lines_.gcount());
    if (taken == 0 && lines_.eof()) return false;
    if (lines_.fail() && !lines_.bad())
      return Wrong(path_, "it has a line of more than " + std::to_string(kLongestPath) +
                              " bytes (it should have the images' paths, a line each)");
    if (lines_.bad()) return Wrong(path_, "it cannot be read");
    const std::string_view line(text, lines_.eof() ? taken : taken - 1);  // the line's end counts
    const std::string_view path = TRY(paths_.Path(line, PrintablePath(path_)));
    name = path;
    return true;
  }

  static constexpr size_t kLongestPath = 16 * kKiB;  ///< four of the longest that a system takes

  const std::string path_;
  uint64_t rows_ = 0;
  std::ifstream lines_;
  ListedPaths paths_{/*lines=*/true};
};

class NumpyVectors final : public Vectors {
 public:
  static Result<std::unique_ptr<Vectors>> Open(const std::string& path) {
    std::unique_ptr<NpyReader> reader = TRY(NpyReader::Open(path));
    return std::unique_ptr<Vectors>(std::make_unique<NumpyVectors>(std::move(reader)));
  }
  explicit NumpyVectors(std::unique_ptr<NpyReader> reader) : reader_(std::move(reader)) {}

  uint64_t rows() const override { return reader_->rows(); }
  Result<Footprint> Needs() override { return Footprint{0, 64 * kKiB + reader_->dimension() * 12}; }
  Status Begin() override { return {}; }
  Status Next(std::vector<float>& vector) override { return reader_->Next(vector); }

 private:
  const std::unique_ptr<NpyReader> reader_;
};

/// A column of a Parquet file, which several may share.
template <typename T>
class ParquetValuesOf final : public TableColumn<T> {
 public:
  ParquetValuesOf(std::shared_ptr<ParquetFile> file, std::string column)
      : file_(std::move(file)), column_(std::move(column)) {}

  uint64_t rows() const override { return file_->rows(); }
  Result<Footprint> Needs() override { return file_->Needs(column_); }
  Status Begin() override {
    std::unique_ptr<ParquetColumn> values = TRY(file_->Read(column_));
    values_ = std::move(values);
    return {};
  }
  Status Next(T& value) override {
    if constexpr (std::is_same_v<T, std::string>) {
      return values_->NextText(value);
    } else {
      return values_->NextVector(value);
    }
  }

 private:
  const std::shared_ptr<ParquetFile> file_;
  const std::string column_;
  std::unique_ptr<ParquetColumn> values_;
};

std::string Listed(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ", ") + PrintablePath(column);
  return text.empty() ? "none" : text;
}

/// The column asked for, or the only one, or the only one of a usual name.
Result<std::string> Choose(const std::string& file, const std::vector<std::string>& columns,
                           const std::string& asked, const char* what,
                           const std::vector<std::string>& usual) {
  const auto has = [&](const std::string& name) {
    return std::count(columns.begin(), columns.end(), name) > 0;
  };
  if (!asked.empty()) {
    if (has(asked)) return asked;
    return Wrong(file, std::string("it has no column \"") + PrintablePath(asked) + "\" of " + what +
                           " (those that it has: " + Listed(columns) + ")");
  }
  for (const std::string& name : usual) {
    if (has(name)) return name;
  }
  if (columns.size() == 1) return columns.front();
  return Wrong(file, std::string("which column has the ") + what + "? Say it with --import-columns " +
                         "PATHS,VECTORS (columns of " + what + ": " + Listed(columns) + ")");
}

struct Columns {
  std::string names, vectors;
};

Columns Asked(const ImportOptions& options) {
  const size_t comma = options.columns.find(',');
  if (comma == std::string::npos) return {};
  return {options.columns.substr(0, comma), options.columns.substr(comma + 1)};
}

Result<std::unique_ptr<Names>> NamesOf(const std::shared_ptr<ParquetFile>& file, const std::string& path,
                                       const Columns& asked) {
  std::string column = TRY(Choose(
      path, file->texts(), asked.names, "texts",
      {"path", "image_path", "file_path", "filepath", "filename", "file_name", "image", "file", "name"}));
  return std::unique_ptr<Names>(std::make_unique<ParquetValuesOf<std::string>>(file, std::move(column)));
}

Result<std::unique_ptr<Names>> OpenNames(const std::string& path, uint64_t vectors, const Columns& asked) {
  if (!path.ends_with(".parquet")) return ListedNames::Open(path, vectors);
  std::shared_ptr<ParquetFile> file = TRY(ParquetFile::Open(path));
  return NamesOf(file, path, asked);
}

/// The files of a folder that end like this, in order.
std::vector<std::string> FilesIn(const std::string& folder, const char* ending) {
  std::vector<std::string> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    if (entry.path().native().ends_with(ending)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Status VectorTable::Add(Part part, const std::string& names, const std::string& vectors) {
  if (part.names->rows() != part.vectors->rows())
    return Wrong(names, "it names " + Counted(part.names->rows(), "image") + ", and " +
                            PrintablePath(vectors) + " has " + Counted(part.vectors->rows(), "vector"));
  parts_.push_back(std::move(part));
  return {};
}

Status VectorTable::AddFolder(const std::string& folder, const ImportOptions& options) {
  const std::vector<std::string> vectors = FilesIn(Join(folder, "img_emb"), ".npy");
  const std::vector<std::string> names = FilesIn(Join(folder, "metadata"), ".parquet");
  if (vectors.empty() || vectors.size() != names.size())
    return Wrong(folder, "it is no folder of clip-retrieval's: img_emb has " +
                             std::to_string(vectors.size()) + " .npy files, and metadata " +
                             std::to_string(names.size()) + " .parquet files (each part has one of both)");
  for (size_t i = 0; i < names.size(); ++i) {
    Part part;
    std::unique_ptr<Vectors> rows = TRY(NumpyVectors::Open(vectors[i]));
    std::unique_ptr<Names> its = TRY(OpenNames(names[i], rows->rows(), Asked(options)));
    part.vectors = std::move(rows);
    part.names = std::move(its);
    TRY(Add(std::move(part), names[i], vectors[i]));
  }
  return {};
}

Result<VectorTable> VectorTable::Open(const ImportOptions& options) {
  VectorTable table;
  const std::string& file = options.file;
  if (std::error_code none; std::filesystem::is_directory(file, none)) {
    TRY(table.AddFolder(file, options));
    return table;
  }
  const Columns asked = Asked(options);
  Part part;
  if (file.ends_with(".npy")) {
    const std::string names =
        options.names.empty() ? file.substr(0, file.size() - 4) + ".paths.txt" : options.names;
    std::unique_ptr<Vectors> rows = TRY(NumpyVectors::Open(file));
    std::unique_ptr<Names> its = TRY(OpenNames(names, rows->rows(), asked));
    part.vectors = std::move(rows);
    part.names = std::move(its);
    TRY(table.Add(std::move(part), names, file));
    return table;
  }
  std::shared_ptr<ParquetFile> parquet = TRY(ParquetFile::Open(file));
  std::string column = TRY(
      Choose(file, parquet->vectors(), asked.vectors, "vectors", {"vector", "embedding", "image_embedding"}));
  std::unique_ptr<Names> its = TRY(NamesOf(parquet, file, asked));
  part.names = std::move(its);
  part.vectors = std::make_unique<ParquetValuesOf<std::vector<float>>>(parquet, std::move(column));
  TRY(table.Add(std::move(part), file, file));
  return table;
}

uint64_t VectorTable::rows() const {
  uint64_t rows = 0;
  for (const Part& part : parts_) rows += part.vectors->rows();
  return rows;
}

Result<Footprint> VectorTable::Needs() {
  Footprint most;
  for (Part& part : parts_) {
    const Footprint names = TRY(part.names->Needs());
    const Footprint vectors = TRY(part.vectors->Needs());
    most.pooled = std::max(most.pooled, names.pooled + vectors.pooled);
    most.untracked = std::max(most.untracked, names.untracked + vectors.untracked);
  }
  return most;
}

Status VectorTable::ForEach(const std::function<Status(const std::string&, std::span<float>)>& each) {
  std::string name;
  std::vector<float> vector;
  for (Part& part : parts_) {
    TRY(part.names->Begin());
    TRY(part.vectors->Begin());
    for (uint64_t row = part.vectors->rows(); row > 0; --row) {
      TRY(part.names->Next(name));
      TRY(part.vectors->Next(vector));
      TRY(each(name, vector));
    }
    part = {};  // what it holds is the next one's
  }
  return {};
}

}  // namespace imgmill
