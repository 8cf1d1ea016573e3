// Each copy is an output of its own, so that one can be made again while the image stays.
#include "copied_sidecars.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "archive/file_part.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

std::string NameOfCopy(const Item& item, const SourceFile& sidecar, const std::string& output) {
  const std::string_view image = NameOf(item.main.path);
  const std::string_view extension = image.substr(StemOf(image).size());
  const std::string_view ending = EndingBehindStem(image, sidecar.path);
  const bool whole_name =
      !extension.empty() && ending.starts_with(extension) && ending.size() > extension.size();
  return Sidecar{sidecar.path, std::string(ending.substr(whole_name ? extension.size() : 0)), whole_name}
      .Beside(output);
}

Status CopyBytes(const std::string& from, const std::string& to) {
  std::optional<FilePart> source = FilePart::Open(from);
  if (!source) return ErrnoError(Stage::kWrite, errno, "open");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(to.c_str(), "wbe"), &std::fclose);
  if (!file) return ErrnoError(Stage::kWrite, errno, "create");
  std::array<char, 8192> block;
  ssize_t got = 0;
  while ((got = source->Read(block.data(), block.size())) > 0) {
    if (std::fwrite(block.data(), 1, static_cast<size_t>(got), file.get()) != static_cast<size_t>(got))
      return ErrnoError(Stage::kWrite, errno, "write");
  }
  if (got < 0) return ErrnoError(Stage::kWrite, errno, "read");
  return std::fflush(file.get()) == 0 ? Status() : ErrnoError(Stage::kWrite, errno, "write");
}

}  // namespace

Item WithoutSidecars(const Item& item) {
  Item bare = item;
  bare.sidecars.clear();
  return bare;
}

std::vector<std::string> CopiedSidecars::NamesOf(const Item& item, const std::string& output) {
  std::vector<std::string> names;
  for (const SourceFile& sidecar : item.sidecars) names.push_back(NameOfCopy(item, sidecar, output));
  return names;
}

bool CopiedSidecars::IsEdited(const Item& item, const std::string& name) {
  if (folder_.overwrite()) return false;
  const std::optional<WorkRow> row = folder_.catalog().FindWork(folder_.KeyOf(item, name));
  if (!row || row->state != WorkRow::State::kDone) return false;
  return Exists(folder_.PathOf(name)) ? !folder_.Holds(name, *row) : folder_.WasMovedEdited(name);
}

Status CopiedSidecars::MayCopy(const Item& item, const std::string& output) {
  for (const SourceFile& sidecar : item.sidecars) {
    const std::string name = NameOfCopy(item, sidecar, output);
    const bool there = TRY(folder_.Finished(item, name));
    if (there || IsEdited(item, name)) continue;
    if (const Status may = folder_.MayWrite(item, name); !may) return OfSidecar(sidecar.path, may.error());
  }
  return {};
}

Result<bool> CopiedSidecars::AreThere(const Item& item, const std::string& output) {
  for (const std::string& name : NamesOf(item, output)) {
    const bool there = TRY(folder_.Finished(item, name));
    if (!there && !IsEdited(item, name)) return false;
  }
  return true;
}

Status CopiedSidecars::Copy(const Item& item, const std::string& output, std::vector<std::string>& edited) {
  if (item.sidecars.empty()) return {};
  TRY(folder_.NoteSidecars(item));
  for (const SourceFile& sidecar : item.sidecars) {
    std::string name = NameOfCopy(item, sidecar, output);
    const bool there = TRY(folder_.Finished(item, name));
    if (there) continue;
    if (IsEdited(item, name)) {
      edited.push_back(std::move(name));
      continue;
    }
    if (const Status copied = CopyOne(item, sidecar, name); !copied)
      return OfSidecar(sidecar.path, copied.error());
  }
  return {};
}

Status CopiedSidecars::CopyOne(const Item& item, const SourceFile& sidecar, const std::string& name) {
  TemporaryFile temporary(TRY(folder_.Begin(item, name)));
  TRY(CopyBytes(sidecar.path, temporary.path()));
  TRY(folder_.Commit(item, name, temporary.path()));
  temporary.Release();
  return {};
}

}  // namespace imgmill
