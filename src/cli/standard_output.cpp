// A full disk is found when the buffer is written, so every text ends with a flush.
#include "standard_output.h"

#include <cerrno>
#include <cstdio>

#include "imgmill/base/errno_error.h"

namespace imgmill {

namespace {

/// Where it is closed, main has put something there that cannot be written to.
Error NotWritten(int errno_value) {
  constexpr char kWhat[] = "standard output could not be written";
  if (errno_value == EBADF) return {Stage::kWrite, Code::kWriteError, std::string(kWhat) + ": it is closed"};
  return ErrnoError(Stage::kWrite, errno_value, kWhat);
}

}  // namespace

Status PrintOut(const TextWriter& text) {
  const auto failed = [] { return NotWritten(errno); };
  const Status printed = text([&](std::string_view piece) -> Status {
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size()) return {};
    return failed();
  });
  if (!printed) return printed;
  return std::fflush(stdout) == 0 ? Status() : failed();
}

ExitCode PrintOrComplain(std::string_view text, ExitCode code) {
  const bool lost_before = std::ferror(stdout) != 0;
  const Status printed = PrintOut([&](const TextSink& put) { return put(text); });
  if (printed.ok() && !lost_before) return code;
  std::fprintf(stderr, "imgmill: error: %s\n",
               printed.ok() ? "standard output could not be written" : printed.error().message.c_str());
  return ExitCode::kCannot;
}

}  // namespace imgmill
