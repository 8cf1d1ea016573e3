// .npy, .csv and .jsonl, a row at a time.
#include "vector_export.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/engine/output_folder.h"

namespace imgmill {
namespace {

constexpr size_t kNpyHeaderBytes = 128;

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string NameOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// One file that is being written under a temporary name.
class GrowingFile {
 public:
  static Result<std::unique_ptr<GrowingFile>> Create(const std::string& path, Catalog& catalog,
                                                     bool overwrite) {
    std::unique_ptr<GrowingFile> file(new GrowingFile(path, catalog, overwrite));
    std::string temporary = TRY(file->folder_.Begin(file->item_, NameOf(path)));
    SweepTemporaries(ParentOf(path), /*recursive=*/false);
    file->temporary_ = std::make_unique<TemporaryFile>(temporary);
    file->file_ = std::fopen(temporary.c_str(), "wbe");
    if (file->file_ == nullptr) return file->Failed(errno);
    return file;
  }
  static Status MayCreate(const std::string& path, Catalog& catalog, bool overwrite) {
    GrowingFile file(path, catalog, overwrite);
    TRY(file.folder_.MayMakeFolder(NameOf(path)));
    return file.folder_.MayWrite(file.item_, NameOf(path));
  }
  ~GrowingFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  Status Write(const void* data, size_t bytes) {
    if (std::fwrite(data, 1, bytes, file_) == bytes) return {};
    return Failed(errno);
  }
  Status Write(std::string_view text) { return Write(text.data(), text.size()); }

  /// Over the first bytes of the file.
  Status WriteFirst(std::string_view text) {
    if (std::fseek(file_, 0, SEEK_SET) != 0) return Failed(errno);
    return Write(text);
  }

  Status Commit() {
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (!closed) return Failed(errno);
    // A row of its own for each content: the intent for this one must not make the catalog forget that the
    // file in its place is ours, for a kill before the rename leaves that one there.
    const ContentDigest digest = TRY(DigestOf(temporary_->path()));
    item_.main.content = digest;
    TRY(folder_.CommitAs(item_, NameOf(path_), temporary_->path(), digest));
    temporary_->Release();
    return {};
  }

  const std::string& path() const { return path_; }

 private:
  GrowingFile(const std::string& path, Catalog& catalog, bool overwrite)
      : path_(path), folder_(ParentOf(path), "export/1", catalog, overwrite) {
    item_.main.absolute = "export";  // the file has no one source
  }
  Error Failed(int number) const { return ErrnoError(Stage::kWrite, number, PrintablePath(path_)); }

  const std::string path_;
  OutputFolder folder_;
  Item item_;
  std::unique_ptr<TemporaryFile> temporary_;
  std::FILE* file_ = nullptr;
};

/// The file of paths beside an .npy; empty for the others.
std::string BesideOf(const std::string& path) {
  return path.ends_with(".npy") ? path.substr(0, path.size() - 4) + ".paths.txt" : std::string();
}

/// The shortest text that gives the same float again.
void AppendFloat(std::string& text, float value) {
  char digits[32];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// NumPy's format 1.0 with a header of fixed length, so that the number of rows can be filled in at the end.
/// Source: numpy.lib.format.
std::string NpyHeader(uint64_t rows, size_t dimension) {
  std::string header = "{'descr': '";
  header += std::endian::native == std::endian::little ? '<' : '>';
  header += "f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
            std::to_string(dimension) + "), }";
  constexpr size_t kBefore = 10;
  header.resize(kNpyHeaderBytes - kBefore - 1, ' ');
  header += '\n';
  std::string whole("\x93NUMPY\x01\x00", 8);
  whole += static_cast<char>(header.size() & 0xFF);
  whole += static_cast<char>(header.size() >> 8);
  return whole + header;
}

class NpyExport final : public VectorExport {
 public:
  NpyExport(std::unique_ptr<GrowingFile> rows, std::unique_ptr<GrowingFile> paths)
      : rows_(std::move(rows)), paths_(std::move(paths)) {}

  Status Add(const std::string& path, const std::string&, std::span<const float> vector) override {
    if (count_++ == 0) {
      dimension_ = vector.size();
      TRY(rows_->Write(NpyHeader(0, dimension_)));
    }
    TRY(rows_->Write(vector.data(), vector.size_bytes()));
    return paths_->Write(PrintablePath(path) + "\n");
  }
  Status Commit() override {
    TRY(rows_->WriteFirst(NpyHeader(count_, dimension_)));
    TRY(paths_->Commit());
    return rows_->Commit();
  }
  std::vector<std::string> files() const override { return {rows_->path(), paths_->path()}; }

 private:
  std::unique_ptr<GrowingFile> rows_;
  std::unique_ptr<GrowingFile> paths_;
  uint64_t count_ = 0;
  size_t dimension_ = 0;
};

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
    line += '"';
    for (const char c : PrintablePath(path)) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
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

bool VectorExport::Knows(std::string_view path) {
  return path.ends_with(".npy") || path.ends_with(".csv") || path.ends_with(".jsonl");
}

Status VectorExport::MayCreate(const std::string& path, Catalog& catalog, bool overwrite) {
  TRY(GrowingFile::MayCreate(path, catalog, overwrite));
  const std::string beside = BesideOf(path);
  return beside.empty() ? Status() : GrowingFile::MayCreate(beside, catalog, overwrite);
}

Result<std::unique_ptr<VectorExport>> VectorExport::Create(const std::string& path, Catalog& catalog,
                                                           bool overwrite) {
  std::unique_ptr<GrowingFile> file = TRY(GrowingFile::Create(path, catalog, overwrite));
  if (path.ends_with(".csv")) return std::unique_ptr<VectorExport>(new CsvExport(std::move(file)));
  if (path.ends_with(".jsonl")) return std::unique_ptr<VectorExport>(new JsonLinesExport(std::move(file)));
  std::unique_ptr<GrowingFile> paths = TRY(GrowingFile::Create(BesideOf(path), catalog, overwrite));
  return std::unique_ptr<VectorExport>(new NpyExport(std::move(file), std::move(paths)));
}

}  // namespace imgmill
