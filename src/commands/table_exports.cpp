// Rows of numbers, and beside or before them the images' names.
#include "table_exports.h"

#include <bit>

#include "base/try.h"
#include "imgmill/base/half.h"
#include "imgmill/base/path_text.h"
#include "parquet_sink.h"

namespace imgmill {
namespace {

constexpr size_t kNpyHeaderBytes = 128;

/// NumPy's format 1.0 with a header of fixed length, so that the number of rows can be filled in at the end.
/// Source: numpy.lib.format.
std::string NpyHeader(const char* type, uint64_t rows, size_t dimension) {
  std::string header = "{'descr': '";
  header += std::endian::native == std::endian::little ? '<' : '>';
  header += std::string(type) + "', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
            std::to_string(dimension) + "), }";
  constexpr size_t kBefore = 10;
  header.resize(kNpyHeaderBytes - kBefore - 1, ' ');
  header += '\n';
  std::string whole("\x93NUMPY\x01\x00", 8);
  whole += static_cast<char>(header.size() & 0xFF);
  whole += static_cast<char>(header.size() >> 8);
  return whole + header;
}

/// An .npy file of rows that are not counted yet.
class NumpyRows {
 public:
  NumpyRows(std::unique_ptr<GrowingFile> file, const char* type) : file_(std::move(file)), type_(type) {}

  template <typename T>
  Status Add(std::span<const T> row) {
    if (count_++ == 0) {
      dimension_ = row.size();
      TRY(file_->Write(NpyHeader(type_, 0, dimension_)));
    }
    return file_->Write(row.data(), row.size_bytes());
  }
  Status Commit() {
    TRY(file_->WriteFirst(NpyHeader(type_, count_, dimension_)));
    return file_->Commit();
  }
  const std::string& path() const { return file_->path(); }

 private:
  std::unique_ptr<GrowingFile> file_;
  const char* const type_;
  uint64_t count_ = 0;
  size_t dimension_ = 0;
};

class NumpyExport final : public VectorExport {
 public:
  NumpyExport(std::unique_ptr<GrowingFile> rows, std::unique_ptr<GrowingFile> paths)
      : rows_(std::move(rows), "f4"), paths_(std::move(paths)) {}

  Status Add(const std::string& path, const std::string&, std::span<const float> vector) override {
    TRY(rows_.Add(vector));
    return paths_->Write(PrintablePath(path) + "\n");
  }
  Status Commit() override {
    TRY(paths_->Commit());
    return rows_.Commit();
  }
  std::vector<std::string> files() const override { return {rows_.path(), paths_->path()}; }

 private:
  NumpyRows rows_;
  std::unique_ptr<GrowingFile> paths_;
};

class ClipExport final : public VectorExport {
 public:
  ClipExport(std::unique_ptr<GrowingFile> rows, std::unique_ptr<GrowingFile> names, Lease lease)
      : lease_(std::move(lease)),
        rows_(std::move(rows), "f2"),
        file_(std::move(names)),
        names_({{"image_path"}}, "", Into(*file_)) {}

  Status Add(const std::string& path, const std::string&, std::span<const float> vector) override {
    halves_.resize(vector.size());
    for (size_t i = 0; i < vector.size(); ++i) halves_[i] = HalfFromFloat(vector[i]);
    TRY(rows_.Add(std::span<const uint16_t>(halves_)));
    const std::string name = PrintablePath(path);
    const ParquetCell cells[] = {name};
    return names_.Add(cells);
  }
  Status Commit() override {
    TRY(names_.Finish({}));
    TRY(file_->Commit());
    return rows_.Commit();
  }
  std::vector<std::string> files() const override { return {rows_.path(), file_->path()}; }

 private:
  const Lease lease_;
  NumpyRows rows_;
  std::unique_ptr<GrowingFile> file_;
  ParquetWriter names_;
  std::vector<uint16_t> halves_;
};

class ParquetExport final : public VectorExport {
 public:
  ParquetExport(std::unique_ptr<GrowingFile> file, std::string kind, Lease lease)
      : lease_(std::move(lease)),
        file_(std::move(file)),
        rows_({{"path"}, {"content"}}, "vector", Into(*file_)),
        kind_(std::move(kind)) {}

  Status Add(const std::string& path, const std::string& content, std::span<const float> vector) override {
    const std::string name = PrintablePath(path);
    const ParquetCell cells[] = {name, content};
    return rows_.Add(cells, vector);
  }
  Status Commit() override {
    const std::pair<std::string, std::string> notes[] = {{"imgmill.vectors", kind_}};
    TRY(rows_.Finish(notes));
    return file_->Commit();
  }
  std::vector<std::string> files() const override { return {file_->path()}; }

 private:
  const Lease lease_;
  std::unique_ptr<GrowingFile> file_;
  ParquetWriter rows_;
  const std::string kind_;
};

}  // namespace

std::unique_ptr<VectorExport> MakeNumpyExport(std::unique_ptr<GrowingFile> rows,
                                              std::unique_ptr<GrowingFile> paths) {
  return std::make_unique<NumpyExport>(std::move(rows), std::move(paths));
}

std::unique_ptr<VectorExport> MakeClipExport(std::unique_ptr<GrowingFile> rows,
                                             std::unique_ptr<GrowingFile> names, Lease lease) {
  return std::make_unique<ClipExport>(std::move(rows), std::move(names), std::move(lease));
}

std::unique_ptr<VectorExport> MakeParquetExport(std::unique_ptr<GrowingFile> file, const std::string& kind,
                                                Lease lease) {
  return std::make_unique<ParquetExport>(std::move(file), kind, std::move(lease));
}

}  // namespace imgmill
