// Gives back the read-only segments of the mapped LibTorch.
#include "imgmill/infer/library_pages.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "imgmill/infer/libtorch_location.h"

namespace imgmill {
namespace {

struct Release {
  std::string folder;  ///< of LibTorch's libraries
  size_t page = 0;
};

int ReleaseSegments(dl_phdr_info* library, size_t, void* context) {
  auto& release = *static_cast<Release*>(context);
  if (library->dlpi_name == nullptr || !std::string_view(library->dlpi_name).starts_with(release.folder))
    return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = library->dlpi_phdr[i];
    // A writable one holds what relocation and the library itself have written, which no file has.
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin =
        (library->dlpi_addr + segment.p_vaddr + release.page - 1) / release.page * release.page;
    const uintptr_t end =
        (library->dlpi_addr + segment.p_vaddr + segment.p_memsz) / release.page * release.page;
    // Refused for locked pages, which then simply stay.
    if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void ReleaseLibraryPages() {
  const LibTorchLocation* libtorch = MappedLibTorch();
  if (libtorch == nullptr) return;
  Release release{libtorch->root + "/lib/", static_cast<size_t>(::sysconf(_SC_PAGESIZE))};
  dl_iterate_phdr(&ReleaseSegments, &release);
}

}  // namespace imgmill
