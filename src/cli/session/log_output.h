// stderr: log lines and the progress line, kept out of each other's way.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "imgmill/commands/command.h"

namespace imgmill {

/// Log lines go to stderr ("imgmill: warning: ...") and, with times, to a file if one is wanted. Colour only
/// where stderr is a terminal and NO_COLOR is not set.
class LogOutput {
 public:
  static Result<std::unique_ptr<LogOutput>> Open(int verbosity, const std::string& log_file);
  ~LogOutput();
  /// The last line for the file was written. The first error there: it did not stop anything.
  Status Close();
  void Write(LogLevel level, const std::string& text);

  /// While it lives, progress is shown: a line that redraws itself on a terminal, else a plain line every ten
  /// seconds.
  class ProgressLine {
   public:
    ProgressLine(LogOutput& output, const Progress& progress, const MemoryManager& memory);
    ~ProgressLine();

   private:
    void Loop();
    std::string Text();

    LogOutput& output_;
    const Progress& progress_;
    const MemoryManager& memory_;
    std::chrono::steady_clock::time_point start_;
    uint64_t listed_before_ = 0;  ///< when start_ was taken
    std::string step_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
  };

 private:
  LogOutput() = default;
  void Draw(const std::string& line);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
