// A source of libvips by callbacks, with its own place in the file.
#include "patched_source.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace imgmill {
namespace {

struct PatchedFile {
  InputFile file;
  FilePatch patch;
  int64_t at = 0;

  int64_t longer() const { return static_cast<int64_t>(patch.by.size()) - patch.bytes; }
  int64_t bytes() const { return file.bytes() + longer(); }
};

/// Up to `length` bytes from one side of the patch's borders; 0 at the end, -1 where it cannot be read.
int64_t ReadPart(PatchedFile& patched, char* to, int64_t length) {
  const auto by_bytes = static_cast<int64_t>(patched.patch.by.size());
  const int64_t behind = patched.patch.at + by_bytes;
  if (patched.at >= patched.patch.at && patched.at < behind) {
    const int64_t now = std::min(length, behind - patched.at);
    std::copy_n(patched.patch.by.begin() + (patched.at - patched.patch.at), now, to);
    return now;
  }
  const bool before = patched.at < patched.patch.at;
  if (before) length = std::min(length, patched.patch.at - patched.at);
  return patched.file.ReadAt(patched.at - (before ? 0 : patched.longer()), to, static_cast<size_t>(length));
}

gint64 OnRead(VipsSourceCustom*, void* to, gint64 length, PatchedFile* patched) {
  int64_t have = 0;
  while (have < length) {  // libtiff takes fewer bytes than it asked for as the file's end
    const int64_t got = ReadPart(*patched, static_cast<char*>(to) + have, length - have);
    if (got < 0) return -1;
    if (got == 0) break;
    patched->at += got;
    have += got;
  }
  return have;
}

gint64 OnSeek(VipsSourceCustom*, gint64 offset, int whence, PatchedFile* patched) {
  const int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? patched->at : patched->bytes();
  if (offset < -from || offset > patched->bytes() - from) return -1;
  return patched->at = from + offset;
}

}  // namespace

GRef<VipsSource> PatchedSource(const InputFile& file, FilePatch patch) {
  Result<InputFile> own = file.Duplicate();
  if (!own) {
    vips_error("source", "%s", own.error().message.c_str());
    return {};
  }
  VipsSourceCustom* source = vips_source_custom_new();
  auto* patched = new PatchedFile{*std::move(own), std::move(patch)};
  g_object_set_data_full(G_OBJECT(source), "imgmill-patched", patched,
                         [](gpointer gone) { delete static_cast<PatchedFile*>(gone); });
  g_signal_connect(source, "read", G_CALLBACK(&OnRead), patched);
  g_signal_connect(source, "seek", G_CALLBACK(&OnSeek), patched);
  return GRef<VipsSource>(VIPS_SOURCE(source));
}

}  // namespace imgmill
