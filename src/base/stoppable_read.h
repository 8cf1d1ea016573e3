// read(2) from a pipe that somebody may have to be able to stop.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "imgmill/base/errno_error.h"
#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

/// As read(2), but a pipe on which nothing comes does not keep the run from being stopped. 0 at the end.
/// @param stop   may be null
/// @param named  what is read, for the errors, which are of stage kList: kInterrupted, kReadError
inline Result<size_t> ReadUnlessStopped(int fd, void* to, size_t bytes, const StopFlag* stop,
                                        const std::string& named) {
  constexpr int kStopPollMs = 100;
  while (true) {
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kStopPollMs);
    if (stop != nullptr && stop->StopRequested()) {
      return Error{Stage::kList, Code::kInterrupted,
                   "stopped while " + named + " was read; nothing was done"};
    }
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = ::read(fd, to, bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return ErrnoError(Stage::kList, errno, "read " + named);
    return static_cast<size_t>(got);
  }
}

}  // namespace imgmill
