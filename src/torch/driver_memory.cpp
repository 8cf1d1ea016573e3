// The driver's functions, declared here as its reference manuals give them.
#include "torch/driver_memory.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

namespace imgmill {
namespace {

// CUDA Driver API: CUresult, CUdevice, CUuuid, CUcontext.
constexpr int kCudaSuccess = 0;
constexpr int kCudaOutOfMemory = 2;
struct CudaUuid {
  std::array<unsigned char, 16> bytes;
};

// NVML: nvmlReturn_t, nvmlDevice_t, nvmlMemory_t, nvmlProcessInfo_t (version 2).
constexpr int kManagementSuccess = 0;
struct ManagementMemory {
  unsigned long long total, free, used;
};
struct ManagementProcess {
  unsigned int pid;
  unsigned long long used;
  unsigned int gpu_instance, compute_instance;
};
/// Where the driver does not tell a process's memory.
constexpr unsigned long long kNotAvailable = ~0ULL;

struct CloseLibrary {
  void operator()(void* library) const noexcept { ::dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

template <typename Function>
bool Take(const Library& library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library.get(), name));
  return function != nullptr;
}

/// "GPU-1b2c...": as NVML names a card. A part of a card ("MIG-...") has a UUID of its own.
std::string UuidText(const char* kind, const CudaUuid& uuid) {
  std::string text = std::string(kind) + "-";
  for (size_t i = 0; i < uuid.bytes.size(); ++i) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", uuid.bytes[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += hex;
  }
  return text;
}

}  // namespace

struct DriverCard::Functions {
  Library cuda;
  Library management;

  int (*init)(unsigned int flags) = nullptr;
  int (*get_device)(int* device, int ordinal) = nullptr;
  int (*get_uuid)(CudaUuid* uuid, int device) = nullptr;
  int (*retain_context)(void** context, int device) = nullptr;
  int (*release_context)(int device) = nullptr;

  int (*management_init)() = nullptr;
  int (*management_shutdown)() = nullptr;
  int (*by_uuid)(const char* uuid, void** device) = nullptr;
  int (*memory)(void* device, ManagementMemory* memory) = nullptr;
  int (*processes)(void* device, unsigned int* count, ManagementProcess* processes) = nullptr;

  bool Open(const Libraries& libraries) {
    cuda.reset(::dlopen(libraries.cuda.c_str(), RTLD_NOW | RTLD_LOCAL));
    management.reset(::dlopen(libraries.management.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!cuda || !management) return false;
    // Older drivers know no processes of this version: all else works without.
    Take(management, "nvmlDeviceGetComputeRunningProcesses_v3", processes);
    return Take(cuda, "cuInit", init) && Take(cuda, "cuDeviceGet", get_device) &&
           (Take(cuda, "cuDeviceGetUuid_v2", get_uuid) || Take(cuda, "cuDeviceGetUuid", get_uuid)) &&
           Take(cuda, "cuDevicePrimaryCtxRetain", retain_context) &&
           (Take(cuda, "cuDevicePrimaryCtxRelease_v2", release_context) ||
            Take(cuda, "cuDevicePrimaryCtxRelease", release_context)) &&
           Take(management, "nvmlInit_v2", management_init) &&
           Take(management, "nvmlShutdown", management_shutdown) &&
           Take(management, "nvmlDeviceGetHandleByUUID", by_uuid) &&
           Take(management, "nvmlDeviceGetMemoryInfo", memory);
  }
};

DriverCard::DriverCard() : functions_(std::make_unique<Functions>()) {}

DriverCard::~DriverCard() {
  DropContext();
  if (managed_ != nullptr) functions_->management_shutdown();
}

std::unique_ptr<DriverCard> DriverCard::Find(int index, const Libraries& libraries) {
  std::unique_ptr<DriverCard> card(new DriverCard);
  Functions& call = *card->functions_;
  CudaUuid uuid;
  if (!call.Open(libraries) || call.init(0) != kCudaSuccess ||
      call.get_device(&card->device_, index) != kCudaSuccess ||
      call.get_uuid(&uuid, card->device_) != kCudaSuccess || call.management_init() != kManagementSuccess) {
    return nullptr;
  }
  for (const char* kind : {"GPU", "MIG"}) {
    if (call.by_uuid(UuidText(kind, uuid).c_str(), &card->managed_) == kManagementSuccess) break;
    card->managed_ = nullptr;
  }
  if (card->managed_ == nullptr) {
    call.management_shutdown();
    return nullptr;
  }
  return card->Ask() ? std::move(card) : nullptr;
}

std::optional<DriverMemory> DriverCard::Ask() const {
  ManagementMemory memory = {};
  if (functions_->memory(managed_, &memory) != kManagementSuccess || memory.total == 0) return std::nullopt;
  DriverMemory answer;
  answer.free = memory.free;
  answer.total = memory.total;
  if (functions_->processes == nullptr) return answer;
  std::vector<ManagementProcess> processes(256);
  auto count = static_cast<unsigned int>(processes.size());
  if (functions_->processes(managed_, &count, processes.data()) != kManagementSuccess) return answer;
  processes.resize(count);
  for (const ManagementProcess& process : processes) {
    // Within a container the numbers may be those outside of it: then none is ours.
    if (process.pid == static_cast<unsigned int>(::getpid()) && process.used != kNotAvailable)
      answer.own = process.used;
  }
  return answer;
}

Status DriverCard::MakeContext() {
  if (has_context_) return {};
  void* context = nullptr;
  const int result = functions_->retain_context(&context, device_);
  if (result == kCudaSuccess) {
    has_context_ = true;
    return {};
  }
  return Error{Stage::kCompute, result == kCudaOutOfMemory ? Code::kOutOfMemory : Code::kModelError,
               "the driver makes no context: CUDA error " + std::to_string(result)};
}

void DriverCard::DropContext() noexcept {
  if (has_context_) functions_->release_context(device_);
  has_context_ = false;
}

}  // namespace imgmill
