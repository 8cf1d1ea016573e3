// How work that takes long inside of one call learns that nobody waits for it any more.
#pragma once

#include "imgmill/base/stop_flag.h"

namespace imgmill {

/// While it lives, what this thread computes may be left undone once the flag is set. Whoever makes it looks
/// at the flag behind the call, and takes nothing for a result then.
class StopScope {
 public:
  explicit StopScope(const StopFlag& stop);
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

  /// Of the calling thread; null outside of any.
  static const StopFlag* Current();

 private:
  const StopFlag* const outer_;
};

}  // namespace imgmill
