// Sets the image libraries up once: libvips without cache, threads of its own, plug-ins or output to stderr,
// and only with the readers that this tool trusts; cv::Mat on our pools.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <opencv2/core/version.hpp>
#include <stdexcept>
#include <string>

#include "image/heif/hevc_decoder.h"
#include "image/jpeg/jpeg_api.h"
#include "imgmill/image/reader.h"
#include "mat_allocator.h"
#include "vips_session.h"

namespace imgmill {
namespace {

// Warnings of libvips and GLib say nothing that an Error or a note of ours does not say better, and stderr
// belongs to the log and the progress line.
void Swallow(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

std::string ModuleFolder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&vips_init), &info) == 0 || info.dli_fname == nullptr) return {};
  std::string folder = info.dli_fname;
  folder.resize(folder.find_last_of('/') == std::string::npos ? 0 : folder.find_last_of('/'));
  return folder + "/vips-modules-" + std::to_string(vips_version(0)) + "." + std::to_string(vips_version(1));
}

// vips_init loads every module that is installed, ImageMagick and Poppler among them: 80 ms and 6 MB. It
// looks for them under $VIPSHOME, so it is shown a place without any.
void StartWithoutModules() {
  const char* home = std::getenv("VIPSHOME");
  const std::string before = home != nullptr ? home : "";
  setenv("VIPSHOME", "/nonexistent", 1);
  const int failed = vips_init("imgmill");
  if (home != nullptr) {
    setenv("VIPSHOME", before.c_str(), 1);
  } else {
    unsetenv("VIPSHOME");
  }
  if (failed != 0) {
    const std::string why = vips_error_buffer();
    throw std::runtime_error("cannot start libvips: " + why);
  }
}

// libvips hands rows on in buffers of twice its tile height, several to a pipeline; its default of 128 costs
// 6 MB at 3000 pixels of width, where 16 rows serve as well. There is no other way to set it than as from a
// command line.
void UseSmallStrips() {
  GOptionContext* context = g_option_context_new(nullptr);
  GOptionGroup* group = g_option_group_new("imgmill", "", "", nullptr, nullptr);
  vips_add_option_entries(group);
  g_option_context_set_main_group(context, group);
  std::string words[] = {"imgmill", "--vips-tile-height=16"};
  char* arguments[] = {words[0].data(), words[1].data(), nullptr};
  char** vector = arguments;
  int count = 2;
  g_option_context_parse(context, &count, &vector, nullptr);
  g_option_context_free(context);
}

// All others stay refused.
void AllowLoaders() {
  for (const FormatFacts& facts : kImageFormats) {
    if (facts.vips_loader.empty()) continue;
    vips_operation_block_set((kVipsLoader + std::string(facts.vips_loader)).c_str(), FALSE);
  }
}

// Registers the types of one module, with GModule so that it lives as long as the process.
void LoadModule(const std::string& name) {
  GModule* module = g_module_open((ModuleFolder() + "/" + name).c_str(), G_MODULE_BIND_LAZY);
  if (module == nullptr) return;  // not installed: the format is then unknown, which Probe says
  g_module_make_resident(module);
  AllowLoaders();
}

/// GLib ends the process without a message where it gets no memory; what starting takes must be there.
void RequireRoom() {
  constexpr size_t kRoom = size_t{4} << 20;
  void* const room = ::mmap(nullptr, kRoom, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  ::munmap(room, kRoom);
}

void Start() {
  RequireRoom();
  g_log_set_default_handler(&Swallow, nullptr);
  StartWithoutModules();
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK | G_LOG_FLAG_RECURSION), &Swallow,
                    nullptr);
  UseSmallStrips();
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_cache_set_max_mem(0);
  vips_cache_set_max_files(0);
  vips_leak_set(FALSE);
  vips_operation_block_set(kVipsLoader, TRUE);
  AllowLoaders();
  SetMatAllocator();
}

}  // namespace

void InitImageLibraries() {
  static std::once_flag once;
  std::call_once(once, &Start);
}

void LoadModuleFor(ImageFormat format) {
  static std::once_flag heif;
  static std::once_flag jxl;
  const bool box = format == ImageFormat::kHeif;
  if (!box && format != ImageFormat::kJxl) return;
  InitImageLibraries();
  std::call_once(box ? heif : jxl, [&] {
    VipsAlone alone;
    LoadModule(box ? "vips-heif.so" : "vips-jxl.so");
    if (box) RegisterHevcDecoder();
  });
}

std::string ImageLibraryVersions() {
  const int jpeg = LIBJPEG_TURBO_VERSION_NUMBER;  // 2001005 is 2.1.5
  return "libvips " + std::to_string(vips_version(0)) + "." + std::to_string(vips_version(1)) + "." +
         std::to_string(vips_version(2)) + ", libjpeg-turbo " + std::to_string(jpeg / 1000000) + "." +
         std::to_string(jpeg / 1000 % 1000) + "." + std::to_string(jpeg % 1000) + ", OpenCV " + CV_VERSION;
}

}  // namespace imgmill
