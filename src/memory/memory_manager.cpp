// The MemoryManager's front: budgets, leases, devices and costs, each handed to the part that knows.
#include "imgmill/memory/memory_manager.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "memory/malloc_settings.h"
#include "memory/memory_manager_impl.h"

namespace imgmill {
namespace {

/// One look in so many is also one at what other processes leave.
constexpr uint64_t kLooksAtOthers = 10;

}  // namespace

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    Release();
    manager_ = std::exchange(other.manager_, nullptr);
    footprint_ = std::exchange(other.footprint_, {});
    reservation_ = std::exchange(other.reservation_, 0);
  }
  return *this;
}

void Lease::Release() noexcept {
  if (manager_ != nullptr) std::exchange(manager_, nullptr)->Return(footprint_, reservation_);
  footprint_ = {};
}

Result<std::unique_ptr<MemoryManager>> MemoryManager::Create(const MemoryOptions& options) {
  if (!MakeCacheStrategy(options.cache) || !MakeBatchSizing(options.batch_sizing)) {
    return Error{
        Stage::kConfigure, Code::kUsage,
        "unknown cache strategy \"" + options.cache + "\" or batch sizing \"" + options.batch_sizing + "\""};
  }
  TameMalloc();
  HostPool().ClearCache();
  TrimMalloc();
  HostLimits limits;
  limits.asked = options.host_budget;
  limits.system = ReadSystemMemory();
  limits.process = ReadProcessMemory();
  limits.cgroup = ReadCgroupMemory();
  limits.address_space = ReadAddressSpaceLimit();
  HostBudget budget = DecideHostBudget(limits);
  TRY(CheckBudget(budget, limits.process.resident, options.least_lease));
  return std::unique_ptr<MemoryManager>(
      new MemoryManager(std::make_unique<Impl>(options, limits, std::move(budget))));
}

MemoryManager::MemoryManager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

MemoryManager::~MemoryManager() = default;

MemoryManager::Impl::Impl(const MemoryOptions& asked, const HostLimits& limits, HostBudget decided)
    : options(asked),
      cache(MakeCacheStrategy(options.cache)),
      sizing(MakeBatchSizing(options.batch_sizing)),
      budget(std::move(decided)),
      pressure(limits, budget.bytes),
      admission(HostPool(), budget.bytes, budget.source == "--memory"),
      costs(options.cost_store) {
  host_work.device = MakeHostDevice("the host");
  host_work.shares_host_pool = true;
  host_work.refusals_seen = HostPool().Stats().refusals;
  if (!budget.warning.empty()) Warn(budget.warning);
  for (const std::string& warning : costs.warnings()) Warn(warning);
  Baseline();
  sampler = Regularly(options.sample_ms, [this] { Sample(); });
}

MemoryManager::Impl::~Impl() {
  HostPool().SetCap(SIZE_MAX);
}

size_t MemoryManager::Impl::Charged() const {
  return HostPool().Stats().charged + devices.HeldByPartitions().charged;
}

HostSample MemoryManager::Impl::Look() const {
  const size_t charged_before = Charged();
  HostSample sample;
  sample.resident = resident.Read();
  const PoolStats host = HostPool().Stats();
  const DeviceTable::Held partitioned = devices.HeldByPartitions();
  sample.charged = std::max(charged_before, host.charged + partitioned.charged);
  sample.cached = host.cached + partitioned.cached;
  sample.host_in_use = host.charged - host.cached;
  return sample;
}

void MemoryManager::Impl::Sample() {
  const HostSample sample = Look();
  admission.Take(sample);
  if (looks++ % kLooksAtOthers == 0) LookAtOthers();
  const AdmissionStats stats = admission.Stats();
  log.Look(Now(), sample, stats.ledger.leased.total(), stats.ledger.InForce());
}

void MemoryManager::Impl::LookAtOthers() {
  RestoreAddresses();
  const ProcessMemory process = ReadProcessMemory();
  const size_t unavailable = pressure.Unavailable(ReadSystemMemory(), ReadCgroupMemory(), process);
  admission.SetUnavailable(unavailable);
  if (unavailable > 0) short_of_addresses = pressure.OfAddresses(process) == unavailable;
}

std::optional<std::string> MemoryManager::Impl::UnavailableWarning(size_t most) const {
  if (most < budget.bytes / 10) return std::nullopt;
  const std::string left = FormatByteSize(budget.bytes - std::min(budget.bytes, most)) +
                           " was left of the budget of " + FormatByteSize(budget.bytes);
  if (short_of_addresses)
    return "ulimit -v leaves too few addresses next to what libraries have mapped: at the lowest, " + left;
  return "other processes took memory during the run: at the lowest, " + left;
}

double MemoryManager::Impl::Now() const {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void MemoryManager::Impl::Baseline() {
  HostPool().ClearCache();
  TrimMalloc();
  admission.SetBaseline(Look());
  leaks.BeginAnew();
  ShareOut();
}

void MemoryManager::Impl::ShareOut() {
  const HostLedger ledger = admission.Stats().ledger;
  const size_t room = ledger.budget - std::min(ledger.budget, ledger.Lasting());
  admission.SetPartitioned(devices.ShareOut(room));
  for (std::string& warning : devices.TakeWarnings()) Warn(std::move(warning));
}

void MemoryManager::Impl::Warn(std::string text) {
  std::lock_guard lock(warnings_mutex);
  warnings.push_back(std::move(text));
}

MemoryInfo MemoryManager::Info() const {
  MemoryInfo info;
  info.system = ReadSystemMemory();
  info.cgroup = ReadCgroupMemory();
  info.process = ReadProcessMemory();
  info.budget = impl_->budget.bytes;
  info.budget_source = impl_->budget.source;
  info.allowed = DecideHostBudget({0, info.system, info.process, info.cgroup, ReadAddressSpaceLimit()}).bytes;
  const AdmissionStats stats = impl_->admission.Stats();
  info.fixed = stats.ledger.Lasting();
  info.leased = stats.ledger.leased.total();
  info.peak_leased = stats.peak_leased;
  info.unexplained = stats.ledger.unexplained;
  info.peak_unexplained = stats.ledger.peak_unexplained;
  info.peak_unavailable = stats.ledger.peak_unavailable;
  info.leases_now = stats.ledger.leases;
  info.leases_granted = stats.granted;
  info.leases_waited = stats.waited;
  info.host = HostPool().Stats();
  for (int i = 0; i < impl_->devices.count(); ++i) {
    const ManagedDevice& slot = impl_->devices.At(i);
    info.devices.push_back({slot.device->name(), slot.device->Stats(),
                            slot.shares_host_pool ? info.budget : slot.budget.load(), slot.lost.load(),
                            slot.errors.All()});
  }
  {
    std::lock_guard lock(impl_->reservations_mutex);
    for (const auto& [number, reservation] : impl_->reservations) info.reservations.push_back(reservation);
  }
  for (size_t i = 0; i < impl_->rungs.size(); ++i) info.rungs[i] = impl_->rungs[i].load();
  info.clears = impl_->clears.load();
  info.clear_ms = impl_->clear_ms.load();
  std::lock_guard lock(impl_->warnings_mutex);
  info.warnings = impl_->warnings;
  if (std::optional<std::string> unavailable = impl_->UnavailableWarning(info.peak_unavailable))
    info.warnings.push_back(*std::move(unavailable));
  return info;
}

MemoryHistory MemoryManager::History() const {
  return impl_->log.History();
}

double MemoryManager::Usage() const {
  const HostLedger ledger = impl_->admission.Stats().ledger;
  const size_t held = ledger.fixed + ledger.leased.untracked + ledger.unexplained + impl_->Charged();
  return static_cast<double>(held) / static_cast<double>(impl_->budget.bytes);
}

size_t MemoryManager::host_budget() const {
  return impl_->budget.bytes;
}

const BatchSizing& MemoryManager::batch_sizing() const {
  return *impl_->sizing;
}

void MemoryManager::Rebaseline() {
  impl_->Baseline();
}

Result<Lease> MemoryManager::Acquire(const Footprint& need, const StopFlag& stop) {
  TRY(impl_->admission.Acquire(need, stop));
  return Lease(*this, need);
}

Result<Lease> MemoryManager::Reserve(const Footprint& need, MemoryInfo::Reservation told) {
  TRY(impl_->admission.AcquireReservation(need));
  told.bytes += need.total();
  std::lock_guard lock(impl_->reservations_mutex);
  const int number = ++impl_->last_reservation;
  impl_->reservations[number] = std::move(told);
  return Lease(*this, need, number);
}

Result<Lease> MemoryManager::TryAcquire(const Footprint& need) {
  const bool granted = TRY(impl_->admission.TryAcquire(need));
  return granted ? Lease(*this, need) : Lease();
}

void MemoryManager::Return(const Footprint& footprint, int reservation) noexcept {
  if (reservation == 0) return impl_->admission.Return(footprint);
  impl_->admission.ReturnReservation(footprint);
  std::lock_guard lock(impl_->reservations_mutex);
  impl_->reservations.erase(reservation);
}

size_t MemoryManager::BudgetFor(const Footprint& need) const {
  return impl_->admission.Stats().ledger.BudgetFor(need.total());
}

Status MemoryManager::Fits(const Footprint& need) const {
  return impl_->admission.Fits(need);
}

size_t MemoryManager::LargestLease() const {
  return impl_->admission.LargestLease();
}

std::shared_ptr<void> MemoryManager::OnPressure(std::function<void(bool waiting)> callback) {
  return impl_->admission.OnPressure(std::move(callback));
}

bool MemoryManager::AdmissionBlocked() const {
  return impl_->admission.Blocked();
}

size_t MemoryManager::Unavailable() const {
  return impl_->admission.Stats().ledger.unavailable;
}

int MemoryManager::AddDevice(std::unique_ptr<Device> device, size_t budget) {
  const int index = impl_->devices.Add(std::move(device), budget);
  impl_->ShareOut();
  // Some tell what they have only once they are awake; where it cannot be woken, work will meet that again.
  if (!impl_->devices.At(index).device->Stats().known) static_cast<void>(WakeDevice(index));
  return index;
}

int MemoryManager::device_count() const {
  return impl_->devices.count();
}

Device& MemoryManager::device(int index) {
  return *impl_->devices.At(index).device;
}

bool MemoryManager::DeviceLost(int index) const {
  return impl_->devices.At(index).lost;
}

bool MemoryManager::DeviceSharesHostPool(int index) const {
  return impl_->devices.At(index).shares_host_pool;
}

size_t MemoryManager::DeviceRoom(int index) const {
  const ManagedDevice& slot = impl_->devices.At(index);
  if (slot.lost) return 0;
  return slot.shares_host_pool ? impl_->admission.FreeRoom() : impl_->devices.Room(slot);
}

size_t MemoryManager::DeviceBudget(int index) const {
  const ManagedDevice& slot = impl_->devices.At(index);
  if (slot.shares_host_pool) return impl_->budget.bytes;
  const size_t budget = slot.budget;
  return budget - std::min(budget, slot.context.load());
}

Status MemoryManager::WakeDevice(int index) {
  const Status woken = impl_->devices.Wake(impl_->devices.At(index));
  for (std::string& warning : impl_->devices.TakeWarnings()) impl_->Warn(std::move(warning));
  return woken;
}

std::shared_ptr<CostModel> MemoryManager::Costs(const CostKey& key) {
  return impl_->costs.Open(key);
}

Status MemoryManager::SaveCosts() {
  return impl_->costs.Save();
}

}  // namespace imgmill
