// spdlog for the lines, a thread that wakes now and then for the progress.
#include "log_output.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <system_error>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

using Clock = std::chrono::steady_clock;

/// Of the terminal; 80 where it does not say.
int Columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string Duration(double seconds) {
  char text[32];
  const auto s = static_cast<long>(seconds + 0.5);
  if (s < 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  }
  return text;
}

}  // namespace

struct LogOutput::Impl {
  std::shared_ptr<spdlog::logger> screen;
  std::shared_ptr<spdlog::logger> file;
  bool terminal = false;
  bool show_progress = true;
  std::mutex mutex;
  bool line_drawn = false;
  std::string file_problem;
};

Result<std::unique_ptr<LogOutput>> LogOutput::Open(int verbosity, const std::string& log_file) {
  std::unique_ptr<LogOutput> output(new LogOutput);
  output->impl_ = std::make_unique<Impl>();
  Impl& impl = *output->impl_;
  impl.terminal = ::isatty(STDERR_FILENO) == 1;
  impl.show_progress = verbosity >= 0;
  const bool colour = impl.terminal && std::getenv("NO_COLOR") == nullptr;
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour ? spdlog::color_mode::always
                                                                           : spdlog::color_mode::never);
  impl.screen = std::make_shared<spdlog::logger>("imgmill", sink);
  impl.screen->set_pattern("imgmill: %^%l%$: %v");
  impl.screen->set_level(verbosity < 0    ? spdlog::level::err
                         : verbosity == 0 ? spdlog::level::info
                                          : spdlog::level::debug);
  if (!log_file.empty()) {
    try {
      impl.file = std::make_shared<spdlog::logger>(
          "file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(log_file, /*truncate=*/false));
      impl.file->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
      impl.file->set_level(spdlog::level::debug);
      impl.file->flush_on(spdlog::level::warn);
      impl.file->set_error_handler([&impl](const std::string& problem) {
        if (impl.file_problem.empty()) impl.file_problem = problem;
      });
    } catch (const spdlog::spdlog_ex& problem) {
      return Error{Stage::kConfigure, Code::kWriteError, "--log-file: " + std::string(problem.what())};
    }
  }
  return output;
}

LogOutput::~LogOutput() = default;

Status LogOutput::Close() {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->file) return {};
  impl_->file->flush();
  impl_->file.reset();
  if (impl_->file_problem.empty()) return {};
  return Error{Stage::kWrite, Code::kWriteError, impl_->file_problem};
}

void LogOutput::Write(LogLevel level, const std::string& text) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->line_drawn) {
    std::fputs("\r\033[K", stderr);
    impl_->line_drawn = false;
  }
  impl_->screen->log(SpdlogLevel(level), "{}", text);
  if (impl_->file) impl_->file->log(SpdlogLevel(level), "{}", text);
}

void LogOutput::Draw(const std::string& line) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->terminal) {
    // One that goes on in the next row would stay when it is drawn again.
    std::fprintf(stderr, "\r\033[K%.*s", Columns() - 1, line.c_str());
    std::fflush(stderr);
    impl_->line_drawn = !line.empty();
  } else if (!line.empty()) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

LogOutput::ProgressLine::ProgressLine(LogOutput& output, const Progress& progress,
                                      const MemoryManager& memory)
    : output_(output), progress_(progress), memory_(memory), start_(Clock::now()), step_(progress.step()) {
  try {
    if (output_.impl_->show_progress) thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error&) {  // the work may do without the line
  }
}

LogOutput::ProgressLine::~ProgressLine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    wake_.notify_all();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  if (output_.impl_->terminal) output_.Draw("");
}

void LogOutput::ProgressLine::Loop() {
  const auto pause = output_.impl_->terminal ? std::chrono::milliseconds(200) : std::chrono::seconds(10);
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [&] { return ending_; })) {
    try {
      output_.Draw(Text());
    } catch (const std::bad_alloc&) {  // memory is too short for a line: the next one comes soon
    }
  }
}

std::string LogOutput::ProgressLine::Text() {
  const std::string step = progress_.step();
  const uint64_t listed = progress_.listed;
  if (step != step_) {
    step_ = step;
    start_ = Clock::now();
    listed_before_ = listed;  // in the time before the first line, which is not known
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const uint64_t expected = progress_.expected;
  const uint64_t failed = progress_.failed;
  const double rate = seconds > 0 ? static_cast<double>(listed - listed_before_) / seconds : 0;
  std::string text = step + " " + std::to_string(listed);
  if (expected > 0) text += "/" + std::to_string(expected);
  // Of none since the step began there is no rate, and a slow one is not 0.0.
  char number[48];
  std::snprintf(number, sizeof number, rate < 1 ? "  %.2g images/s" : "  %.1f images/s", rate);
  if (rate > 0) text += number;
  if (expected > listed && rate > 0)
    text += "  " + Duration(static_cast<double>(expected - listed) / rate) + " left";
  if (failed > 0) text += "  " + std::to_string(failed) + " failed";
  const size_t budget = memory_.host_budget();
  text += "  memory " + FormatByteSize(static_cast<size_t>(memory_.Usage() * static_cast<double>(budget))) +
          " of " + FormatByteSize(budget);
  return text;
}

}  // namespace imgmill
