#include "host_card.h"

#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>
#include <torch/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace {

constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;
constexpr int kQueues = 8;  // the first one computes by default

// ---- what it did, and what the next layer waits for

struct Record {
  std::mutex mutex;
  std::condition_variable changed;
  HostCardCounts counts{};
  int64_t hold_layer = -1, hold_to = -1, hold_from = -1;
  int* timed_out = nullptr;

  void Count(int64_t HostCardCounts::*what) {
    const std::lock_guard lock(mutex);
    ++(counts.*what);
    changed.notify_all();
  }
  void BeginLayer(bool half) {
    std::unique_lock lock(mutex);
    ++counts.layers;
    if (half) ++counts.half_layers;
    if (counts.layers != hold_layer) return;
    int* const told = timed_out;
    const bool arrived = changed.wait_for(lock, std::chrono::seconds(20), [&] {
      return counts.to_card >= hold_to && counts.from_card >= hold_from;
    });
    *told = arrived ? 0 : 1;
  }
};

Record& record() {
  static auto* const kept = new Record;  // queues' threads may outlive what the process ends with
  return *kept;
}

// ---- queues

/// Does what it is given, one after the other, in a thread of its own.
class Queue {
 public:
  void Put(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(serving_, true)) {
      std::thread([this] { Serve(); }).detach();
      record().Count(&HostCardCounts::queues);
    }
    work_.push_back(std::move(work));
    ++given_;
    changed_.notify_all();
  }
  void Drain() {
    std::unique_lock lock(mutex_);
    const int64_t until = given_;
    changed_.wait(lock, [&] { return done_ >= until; });
  }
  bool Idle() {
    const std::lock_guard lock(mutex_);
    return done_ == given_;
  }

 private:
  void Serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return !work_.empty(); });
      const std::function<void()> work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
      lock.lock();
      ++done_;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  int64_t given_ = 0, done_ = 0;
  bool serving_ = false;
};

Queue& QueueOf(int64_t id) {
  static auto* const queues = new std::array<Queue, kQueues>;
  return (*queues)[static_cast<size_t>(id)];
}

/// How often it was recorded, and how many of these a queue has come to.
struct Event {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t recorded = 0, reached = 0;

  void Wait(int64_t version) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return reached >= version; });
  }
};
using SharedEvent = std::shared_ptr<Event>;

thread_local int64_t current_queue = 0;

const c10::Device kCard(kType, 0);

c10::Stream StreamOf(int64_t id) {
  return c10::Stream(c10::Stream::UNSAFE, kCard, id);
}

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device) const override { return kCard; }
  c10::Device getDevice() const override { return kCard; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const override { return StreamOf(current_queue); }
  c10::Stream getDefaultStream(c10::Device) const override { return StreamOf(0); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override {
    static std::atomic<int64_t> next = 0;
    return StreamOf(1 + next++ % (kQueues - 1));
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    return StreamOf(std::exchange(current_queue, stream.id()));
  }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

  static SharedEvent& EventAt(void* event) { return *static_cast<SharedEvent*>(event); }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override {
    delete static_cast<SharedEvent*>(event);
  }
  void record(void** event, const c10::Stream& stream, c10::DeviceIndex, c10::EventFlag) const override {
    if (*event == nullptr) *event = new SharedEvent(std::make_shared<Event>());
    const SharedEvent shared = EventAt(*event);
    int64_t version = 0;
    {
      const std::lock_guard lock(shared->mutex);
      version = ++shared->recorded;
    }
    QueueOf(stream.id()).Put([shared, version] {
      const std::lock_guard lock(shared->mutex);
      shared->reached = std::max(shared->reached, version);
      shared->changed.notify_all();
    });
  }
  static int64_t Recorded(const SharedEvent& event) {
    const std::lock_guard lock(event->mutex);
    return event->recorded;
  }
  void block(void* event, const c10::Stream& stream) const override {
    if (event == nullptr) return;
    const SharedEvent shared = EventAt(event);
    QueueOf(stream.id()).Put([shared, version = Recorded(shared)] { shared->Wait(version); });
  }
  bool queryEvent(void* event) const override {
    if (event == nullptr) return true;
    const std::lock_guard lock(EventAt(event)->mutex);
    return EventAt(event)->reached == EventAt(event)->recorded;
  }
  void synchronizeEvent(void* event) const override {
    if (event != nullptr) EventAt(event)->Wait(Recorded(EventAt(event)));
  }
  bool queryStream(const c10::Stream& stream) const override { return QueueOf(stream.id()).Idle(); }
  void synchronizeStream(const c10::Stream& stream) const override { QueueOf(stream.id()).Drain(); }
  void synchronizeDevice(c10::DeviceIndex) const override {
    for (int64_t id = 0; id < kQueues; ++id) QueueOf(id).Drain();
  }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

// ---- memory

class CardMemory final : public c10::DeviceAllocator {
 public:
  CardMemory() {
    if (const char* bytes = std::getenv("IMGMILL_CARD_MEMORY")) total_ = std::strtoull(bytes, nullptr, 10);
  }
  c10::DataPtr allocate(size_t bytes) override {
    {
      const std::lock_guard lock(mutex_);
      if (allocated_ + bytes > total_) {
        ++refused_;
        TORCH_CHECK_WITH(OutOfMemoryError, false, "host card out of memory: ", bytes, " bytes beside ",
                         allocated_, " of ", total_);
      }
      allocated_ += bytes;
      peak_ = std::max(peak_, allocated_);
    }
    void* memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    const std::lock_guard lock(mutex_);
    sizes_[memory] = bytes;
    return {memory, memory, &CardMemory::Free, kCard};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &CardMemory::Free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t = {0, 0}) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override {
    const std::lock_guard lock(mutex_);
    c10::CachingDeviceAllocator::DeviceStats stats;
    for (auto* both : {&stats.allocated_bytes, &stats.reserved_bytes}) {
      (*both)[0].current = static_cast<int64_t>(allocated_);
      (*both)[0].peak = static_cast<int64_t>(peak_);
    }
    stats.num_ooms = refused_;
    return stats;
  }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override {
    const std::lock_guard lock(mutex_);
    peak_ = allocated_;
  }
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override {
    const std::lock_guard lock(mutex_);
    return {total_ - allocated_, total_};
  }

  static CardMemory& Only() {
    static auto* const kept = new CardMemory;
    return *kept;
  }

 private:
  /// In the order of the queue that computes, as every allocator of a device does: whoever gets the block
  /// next may have it once that queue is there.
  static void Free(void* memory) {
    if (memory == nullptr) return;
    QueueOf(0).Drain();
    CardMemory& card = Only();
    const std::lock_guard lock(card.mutex_);
    const auto found = card.sizes_.find(memory);
    card.allocated_ -= found->second;
    card.sizes_.erase(found);
    std::memset(memory, 0xA5, 1);  // a block that is used after it was freed shows
    std::free(memory);
  }

  std::mutex mutex_;
  std::map<void*, size_t> sizes_;
  size_t total_ = size_t{1} << 30, allocated_ = 0, peak_ = 0;
  int64_t refused_ = 0;
};

class PageLocked final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    const std::lock_guard lock(mutex_);
    blocks_[static_cast<char*>(memory)] = bytes;
    return {memory, memory, &PageLocked::Free, c10::DeviceType::CPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &PageLocked::Free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  bool Has(const void* memory) {
    const std::lock_guard lock(mutex_);
    auto above = blocks_.upper_bound(const_cast<char*>(static_cast<const char*>(memory)));
    if (above == blocks_.begin()) return false;
    --above;
    return static_cast<const char*>(memory) < above->first + std::max<size_t>(1, above->second);
  }
  static PageLocked& Only() {
    static auto* const kept = new PageLocked;
    return *kept;
  }

 private:
  static void Free(void* memory) {
    if (memory == nullptr) return;
    const std::lock_guard lock(Only().mutex_);
    Only().blocks_.erase(static_cast<char*>(memory));
    std::free(memory);
  }
  std::mutex mutex_;
  std::map<char*, size_t> blocks_;
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  bool isPinnedPtr(const void* data) const override { return PageLocked::Only().Has(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &PageLocked::Only(); }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
};

// ---- operators

torch::Tensor Empty(c10::IntArrayRef size, std::optional<c10::ScalarType> type, std::optional<c10::Layout>,
                    std::optional<c10::Device>, std::optional<bool>,
                    std::optional<c10::MemoryFormat> format) {
  return at::detail::empty_generic(size, &CardMemory::Only(),
                                   c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   c10::dtype_or_default(type), format);
}

torch::Tensor EmptyStrided(c10::IntArrayRef size, c10::IntArrayRef stride,
                           std::optional<c10::ScalarType> type, std::optional<c10::Layout>,
                           std::optional<c10::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &CardMemory::Only(),
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           c10::dtype_or_default(type));
}

/// The same memory as a tensor of the host's.
torch::Tensor OnHost(const torch::Tensor& tensor) {
  return torch::from_blob(const_cast<void*>(tensor.const_data_ptr()), tensor.sizes(), tensor.strides(),
                          torch::TensorOptions().dtype(tensor.scalar_type()));
}

torch::Tensor CopyFrom(const torch::Tensor& from, const torch::Tensor& to, bool non_blocking) {
  Queue& queue = QueueOf(current_queue);
  const bool bytes = from.scalar_type() == to.scalar_type() && from.sizes() == to.sizes() &&
                     from.is_contiguous() && to.is_contiguous();
  const auto pinned = [](const torch::Tensor& tensor) {
    return !tensor.is_cpu() || PageLocked::Only().Has(tensor.const_data_ptr());
  };
  const auto count = [arrives = !to.is_cpu(), leaves = to.is_cpu()] {
    if (arrives) record().Count(&HostCardCounts::to_card);
    if (leaves) record().Count(&HostCardCounts::from_card);
  };
  if (non_blocking && bytes && pinned(from) && pinned(to)) {
    // As on a real device, nothing keeps the memory alive but the caller.
    queue.Put([source = from.const_data_ptr(), target = to.mutable_data_ptr(), size = from.nbytes(), count] {
      std::memcpy(target, source, size);
      count();
    });
    return to;
  }
  queue.Drain();
  {
    const c10::InferenceMode plain(false);  // some of them are inference's tensors, some are not
    OnHost(to).copy_(OnHost(from));
  }
  if (from.is_cpu() != to.is_cpu()) count();
  return to;
}

const torch::Tensor& Resize(const torch::Tensor& self, c10::IntArrayRef size,
                            std::optional<c10::MemoryFormat>) {
  const size_t bytes = static_cast<size_t>(c10::multiply_integers(size)) * self.itemsize();
  c10::Storage storage = self.storage();
  if (bytes > storage.nbytes()) {
    storage.set_data_ptr_noswap(CardMemory::Only().allocate(bytes));
    storage.set_nbytes(bytes);
  }
  self.unsafeGetTensorImpl()->set_sizes_contiguous(size);
  return self;
}

torch::Tensor CopyFromAndResize(const torch::Tensor& from, const torch::Tensor& to) {
  Resize(to, from.sizes(), std::nullopt);
  return CopyFrom(from, to, /*non_blocking=*/false);
}

torch::Tensor ReshapeAlias(const torch::Tensor& self, c10::IntArrayRef size, c10::IntArrayRef stride) {
  return at::native::as_strided_tensorimpl(self, size, stride);
}

void Fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  bool half = false;
  for (const c10::IValue& argument : *stack)
    half = half || (argument.isTensor() && argument.toTensor().defined() &&
                    argument.toTensor().scalar_type() == torch::kHalf);
  QueueOf(current_queue).Drain();
  record().BeginLayer(half);
  at::native::cpu_fallback(op, stack);
}

/// LibTorch asks a device that it does not know for its convolution by this name.
torch::Tensor Convolution(const torch::Tensor& input, const torch::Tensor& weight,
                          const std::optional<torch::Tensor>& bias, c10::IntArrayRef stride,
                          c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed,
                          c10::IntArrayRef output_padding, int64_t groups) {
  QueueOf(current_queue).Drain();
  record().BeginLayer(input.scalar_type() == torch::kHalf);
  std::optional<torch::Tensor> own_bias;
  if (bias && bias->defined()) own_bias = OnHost(*bias);
  return torch::convolution(OnHost(input), OnHost(weight), own_bias, stride, padding, dilation, transposed,
                            output_padding, groups)
      .to(kCard);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("convolution_overrideable", &Convolution);
  library.impl("empty.memory_format", &Empty);
  library.impl("empty_strided", &EmptyStrided);
  library.impl("_copy_from", &CopyFrom);
  library.impl("_copy_from_and_resize", &CopyFromAndResize);
  library.impl("resize_", &Resize);
  library.impl("_reshape_alias", &ReshapeAlias);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view",
               static_cast<torch::Tensor (*)(const torch::Tensor&, c10::IntArrayRef)>(&at::native::view));
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&Fallback>());
}

const bool registered = [] {
  c10::register_privateuse1_backend("privateuseone");
  c10::SetAllocator(kType, &CardMemory::Only());
  at::RegisterPrivateUse1HooksInterface(new Hooks);
  return true;
}();

}  // namespace

HostCardCounts host_card_counts() {
  const std::lock_guard lock(record().mutex);
  return record().counts;
}

void host_card_hold_layer(int64_t number, int64_t to_card, int64_t from_card, int* timed_out) {
  const std::lock_guard lock(record().mutex);
  record().hold_layer = record().counts.layers + number;
  record().hold_to = record().counts.to_card + to_card;
  record().hold_from = record().counts.from_card + from_card;
  record().timed_out = timed_out;
}
