// The publishing protocol, and the check that a file found in place is really ours.
#include "imgmill/stream/output_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

bool Exists(const std::string& path) {
  struct stat info = {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool SameFile(const std::string& a, const std::string& b) {
  struct stat first = {};
  struct stat second = {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

bool HasBytes(const std::string& path, const WorkRow& row) {
  const Result<FileStamp> stamp = StampOf(path);
  if (!stamp || stamp->size != row.size) return false;
  const Result<ContentDigest> digest = DigestOf(path);
  return digest && *digest == row.digest;
}

}  // namespace

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

OutputFolder::OutputFolder(std::string folder, std::string fingerprint, Catalog& catalog, bool overwrite)
    : folder_(std::move(folder)),
      fingerprint_(std::move(fingerprint)),
      catalog_(catalog),
      overwrite_(overwrite) {}

Result<bool> OutputFolder::Finished(const Item& item, const std::string& relative) {
  const WorkKey key = KeyOf(item, relative);
  const std::optional<WorkRow> row = catalog_.FindWork(key);
  if (!row || !Holds(relative, *row)) return false;
  if (row->state == WorkRow::State::kIntent) {
    if (Status put = catalog_.PutWork(key, {WorkRow::State::kDone, row->size, row->digest}); !put)
      return put.error();
  }
  return true;
}

bool OutputFolder::IsOurs(const std::string& relative) {
  for (const WorkRow& row : catalog_.FindOutputs(relative)) {
    if (Holds(relative, row)) return true;
  }
  return false;
}

bool OutputFolder::Holds(const std::string& relative, const WorkRow& row) const {
  return HasBytes(PathOf(relative), row);
}

Status OutputFolder::MayWrite(const Item& item, const std::string& relative) {
  const std::string path = PathOf(relative);
  if (!Exists(path)) return {};
  if (SameFile(path, item.file.path) || (item.partner && SameFile(path, item.partner->path))) {
    return Error{Stage::kWrite, Code::kConflict,
                 PrintablePath(path) + " is the source itself (choose another output folder)"};
  }
  if (!overwrite_ && !IsOurs(relative)) {
    return Error{Stage::kWrite, Code::kConflict,
                 PrintablePath(path) + " exists already and is not ours (use --force to replace it)"};
  }
  return {};
}

Result<std::string> OutputFolder::Begin(const Item& item, const std::string& relative) {
  if (Status may = MayWrite(item, relative); !may) return may.error();
  const std::string path = PathOf(relative);
  if (Status made = MakeFolders(ParentOf(path)); !made) return made.error();
  return TemporaryNameFor(path);
}

Status OutputFolder::Commit(const Item& item, const std::string& relative, const std::string& temporary) {
  const Result<FileStamp> stamp = StampOf(temporary);
  if (!stamp) return stamp.error();
  const Result<ContentDigest> digest = DigestOf(temporary);
  if (!digest) return digest.error();
  const WorkKey key = KeyOf(item, relative);
  if (Status put = catalog_.PutWork(key, {WorkRow::State::kIntent, stamp->size, *digest}); !put) return put;
  // Begin has decided that the target may be replaced.
  if (Status published = Publish(temporary, PathOf(relative), /*overwrite=*/true); !published)
    return published;
  return catalog_.PutWork(key, {WorkRow::State::kDone, stamp->size, *digest});
}

}  // namespace imgmill
