// Opens libimgmill_video.so where a video is first met: FFmpeg's libraries for it, with a hundred others that
// they need, take 70 ms and 24 MB to map, which runs without a video do not pay.
#include "video_module.h"

#include <dlfcn.h>

#include <cerrno>

#include "base/try.h"
#include "loadable_module.h"

namespace imgmill {
namespace {

constexpr char kModuleName[] = "libimgmill_video.so";

struct Module {
  OpenVideoFn open = nullptr;
  std::string tried;
};

const Module& TheModule() {
  static const Module module = [] {
    const LoadableModule opened = OpenLoadableModule(kModuleName);
    Module found;
    found.tried = opened.tried;
    if (opened.handle != nullptr)
      found.open = reinterpret_cast<OpenVideoFn>(dlsym(opened.handle, kOpenVideo));
    return found;
  }();
  return module;
}

}  // namespace

Result<std::unique_ptr<VideoFile>> OpenVideo(const InputFile& file, int64_t most_pixels, Stage stage) {
  const Module& module = TheModule();
  if (module.open == nullptr) {
    return Error{stage, Code::kUnsupported,
                 "videos need the module " + std::string(kModuleName) +
                     ", which could not be opened (tried: " + module.tried + "); reinstall imgmill"};
  }
  const ReadVideoFn read = [](void* from, int64_t at, uint8_t* to, size_t bytes) {
    return static_cast<const InputFile*>(from)->ReadAt(at, to, bytes);
  };
  Error why;
  std::unique_ptr<VideoFile> video(
      module.open(kVideoInterface, read, const_cast<InputFile*>(&file), file.bytes(), most_pixels, &why));
  if (video) return video;
  why.stage = stage;
  return why;
}

}  // namespace imgmill
