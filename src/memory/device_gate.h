// Lets many guarded runs share a device, or one have it alone after the others have left.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace imgmill {

/// Like a shared mutex in which whoever wants to be alone goes before newcomers; it also knows who else was
/// there, since being refused memory while alone and in company call for different rungs.
class DeviceGate {
 public:
  /// Being inside, from construction to destruction.
  class Pass {
   public:
    Pass(DeviceGate& gate, bool alone);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    /// Whether anybody else has been inside since this pass was given.
    bool HadCompany() const;

   private:
    DeviceGate& gate_;
    const bool alone_;
    uint64_t entry_ = 0;
    bool company_at_entry_ = false;
  };

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  int wanting_alone_ = 0;
  bool held_alone_ = false;
  uint64_t entries_ = 0;
};

}  // namespace imgmill
