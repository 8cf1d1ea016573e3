// A stream into the temporary file, whose digest the catalog is told before it takes its place.
#include "growing_file.h"

#include <cerrno>
#include <utility>

#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
Result<std::unique_ptr<GrowingFile>> GrowingFile::Create(const std::string& path, Catalog& catalog,
                                                         bool overwrite) {
  std::unique_ptr<GrowingFile> file(new GrowingFile(path, catalog, overwrite));
  std::string temporary = TRY(file->folder_.Begin(file->item_, std::string(NameOf(path))));
  SweepTemporaries(ParentOf(path), /*recursive=*/false);
  file->temporary_ = std::make_unique<TemporaryFile>(temporary);
  file->file_ = std::fopen(temporary.c_str(), "wbe");
  if (file->file_ == nullptr) return file->Failed(errno);
  return file;
}

Status GrowingFile::MayCreate(const std::string& path, Catalog& catalog, bool overwrite) {
  GrowingFile file(path, catalog, overwrite);
  TRY(file.folder_.MayMakeFolder(std::string(NameOf(path))));
  return file.folder_.MayWrite(file.item_, std::string(NameOf(path)));
}

GrowingFile::GrowingFile(const std::string& path, Catalog& catalog, bool overwrite)
    : path_(path), folder_(ParentOf(path), ExportInto(ParentOf(path), catalog.folder()), catalog, overwrite) {
  item_.main.absolute = "export";  // the file has no one source
}

GrowingFile::~GrowingFile() {
  if (file_ != nullptr) std::fclose(file_);
}

Status GrowingFile::Write(const void* data, size_t bytes) {
  if (std::fwrite(data, 1, bytes, file_) == bytes) return {};
  return Failed(errno);
}

Status GrowingFile::WriteFirst(std::string_view text) {
  if (std::fseek(file_, 0, SEEK_SET) != 0) return Failed(errno);
  return Write(text);
}

Status GrowingFile::Commit() {
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (!closed) return Failed(errno);
  // A row of its own for each content: the intent for this one must not make the catalog forget that the
  // file in its place is ours, for a kill before the rename leaves that one there.
  const ContentDigest digest = TRY(DigestOf(temporary_->path()));
  item_.main.content = digest;
  TRY(folder_.CommitAs(item_, std::string(NameOf(path_)), temporary_->path(), digest));
  temporary_->Release();
  return {};
}

Error GrowingFile::Failed(int number) const {
  return ErrnoError(Stage::kWrite, number, PrintablePath(path_));
}

}  // namespace imgmill
