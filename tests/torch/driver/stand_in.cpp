// The functions of libcuda.so.1 and libnvidia-ml.so.1 that imgmill calls, with the types and values of
// NVIDIA's own manuals (CUDA Driver API 12; NVML, as its Python binding nvidia-ml-py 13 declares them too),
// over memory that is none.
#include <unistd.h>

#include <cstring>

#include "stand_in_state.h"

namespace {

StandInDriver state;
constexpr int kInvalidValue = 1, kOutOfMemory = 2, kInvalidDevice = 101;  // CUresult
constexpr int kNotFound = 6, kInsufficientSize = 7;                       // nvmlReturn_t
constexpr char kUuid[] = "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f";
int handle;

struct Memory {
  unsigned long long total, free, used;
};
struct Process {
  unsigned int pid;
  unsigned long long used;
  unsigned int gpu_instance, compute_instance;
};
static_assert(sizeof(Process) == 24, "as nvmlProcessInfo_v2_t");

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED StandInDriver* stand_in_driver() {
  return &state;
}

EXPORTED int cuInit(unsigned int flags) {
  return flags == 0 ? 0 : kInvalidValue;
}
EXPORTED int cuDeviceGet(int* device, int ordinal) {
  if (ordinal < 0 || ordinal >= state.cards) return kInvalidDevice;
  *device = 40 + ordinal;
  return 0;
}
EXPORTED int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  if (device != 40) return kInvalidDevice;
  for (unsigned char i = 0; i < 16; ++i) uuid[i] = i;
  return 0;
}
EXPORTED int cuDevicePrimaryCtxRetain(void** context, int device) {
  if (device != 40) return kInvalidDevice;
  if (state.contexts == 0 && state.context > state.total - state.neighbours) return kOutOfMemory;
  ++state.contexts;
  *context = &handle;
  return 0;
}
EXPORTED int cuDevicePrimaryCtxRelease_v2(int device) {
  if (device != 40 || state.contexts == 0) return kInvalidDevice;
  --state.contexts;
  return 0;
}

EXPORTED int nvmlInit_v2() {
  ++state.inits;
  return 0;
}
EXPORTED int nvmlShutdown() {
  --state.inits;
  return 0;
}
EXPORTED int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  if (std::strcmp(uuid, kUuid) != 0) return kNotFound;
  *device = &handle;
  return 0;
}
EXPORTED int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
  if (device != &handle) return kNotFound;
  memory->total = state.total;
  memory->used = state.neighbours + state.held();
  memory->free = memory->total - memory->used;
  return 0;
}
EXPORTED int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned int* count, Process* processes) {
  if (device != &handle || !state.tells_processes) return kNotFound;
  if (*count < 2) return kInsufficientSize;
  processes[0] = {1, state.neighbours, ~0u, ~0u};
  processes[1] = {static_cast<unsigned int>(::getpid()), state.held(), ~0u, ~0u};
  *count = state.contexts > 0 ? 2 : 1;
  return 0;
}
