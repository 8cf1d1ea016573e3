// Counting who is inside.
#include "memory/device_gate.h"

namespace imgmill {

DeviceGate::Pass::Pass(DeviceGate& gate, bool alone) : gate_(gate), alone_(alone) {
  std::unique_lock lock(gate_.mutex_);
  if (alone_) {
    ++gate_.wanting_alone_;
    gate_.changed_.wait(lock, [this] { return gate_.inside_ == 0; });
    --gate_.wanting_alone_;
    gate_.held_alone_ = true;
  } else {
    gate_.changed_.wait(lock, [this] { return !gate_.held_alone_ && gate_.wanting_alone_ == 0; });
  }
  company_at_entry_ = gate_.inside_ > 0;
  ++gate_.inside_;
  entry_ = ++gate_.entries_;
}

DeviceGate::Pass::~Pass() {
  std::lock_guard lock(gate_.mutex_);
  --gate_.inside_;
  if (alone_) gate_.held_alone_ = false;
  gate_.changed_.notify_all();
}

bool DeviceGate::Pass::HadCompany() const {
  std::lock_guard lock(gate_.mutex_);
  return company_at_entry_ || gate_.entries_ != entry_;
}

}  // namespace imgmill
