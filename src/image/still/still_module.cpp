// Opens libimgmill_stills.so where a file first needs it: FFmpeg's libraries take 36 ms and 6 MB to map,
// which runs without such files do not pay.
#include "still_module.h"

#include <dlfcn.h>

#include <algorithm>

#include "base/try.h"
#include "image/loadable_module.h"

namespace imgmill {
namespace {

constexpr char kModuleName[] = "libimgmill_stills.so";

struct Module {
  DecodeStillFn decode = nullptr;
  CountJxlFramesFn count_jxl = nullptr;
  OpenStillFramesFn open_frames = nullptr;
  std::string tried;
};

Module Open() {
  const LoadableModule opened = OpenLoadableModule(kModuleName);
  Module module;
  module.tried = opened.tried;
  if (opened.handle == nullptr) return module;
  module.decode = reinterpret_cast<DecodeStillFn>(dlsym(opened.handle, kDecodeStill));
  module.count_jxl = reinterpret_cast<CountJxlFramesFn>(dlsym(opened.handle, kCountJxlFrames));
  module.open_frames = reinterpret_cast<OpenStillFramesFn>(dlsym(opened.handle, kOpenStillFrames));
  return module;
}

const Module& TheModule() {
  static const Module module = Open();
  return module;
}

}  // namespace

Status LoadStillModule(Stage stage) {
  const Module& module = TheModule();
  if (module.decode != nullptr) return {};
  return Error{stage, Code::kUnsupported,
               "BMP, TGA, ICO, QOI, DDS, SGI, animated JPEG XL and the frames of APNG need the module " +
                   std::string(kModuleName) + ", which could not be opened (tried: " + module.tried +
                   "); reinstall imgmill"};
}

int CountJxlFrames(const InputFile& file) {
  const CountJxlFramesFn count = TheModule().count_jxl;
  if (count == nullptr) return 1;
  const ReadBytesFn read = [](void* from, int64_t at, uint8_t* to, size_t bytes) {
    const ptrdiff_t got = static_cast<const InputFile*>(from)->ReadAt(at, to, bytes);
    return got > 0 ? static_cast<size_t>(got) : size_t{0};
  };
  return std::max(1, count(kStillInterface, read, const_cast<InputFile*>(&file)));
}

Result<std::unique_ptr<StillImage>> DecodeStill(StillKind kind, std::span<const uint8_t> bytes, int64_t width,
                                                int64_t height) {
  TRY(LoadStillModule(Stage::kDecode));
  std::string why;
  std::unique_ptr<StillImage> image(
      TheModule().decode(kStillInterface, kind, bytes.data(), bytes.size(), width, height, &why));
  if (image) return image;
  return StillError(kind, why);
}

Result<std::unique_ptr<StillFrames>> OpenStillFrames(StillKind kind, std::span<const uint8_t> bytes,
                                                     int64_t width, int64_t height) {
  TRY(LoadStillModule(Stage::kDecode));
  const OpenStillFramesFn open = TheModule().open_frames;
  std::string why = "the module is from a different build than the program";
  std::unique_ptr<StillFrames> frames;
  if (open != nullptr)
    frames.reset(open(kStillInterface, kind, bytes.data(), bytes.size(), width, height, &why));
  if (frames) return frames;
  return StillError(kind, why);
}

Error StillError(StillKind kind, const std::string& why) {
  const bool memory = why == "out of memory";
  const bool unsupported = why.find("not supported") != std::string::npos;
  const bool cut = why.find("data ends") != std::string::npos;
  return {Stage::kDecode,
          memory        ? Code::kOutOfMemory
          : unsupported ? Code::kUnsupported
          : cut         ? Code::kTruncated
                        : Code::kMalformed,
          (kind == StillKind::kJxl ? "libjxl" : "FFmpeg") + (" cannot decode it: " + why)};
}

}  // namespace imgmill
