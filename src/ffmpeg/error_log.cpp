// Whose log it is stands in the field for the user's own that both kinds of context have.
#include "ffmpeg/error_log.h"

extern "C" {
#include <libavutil/log.h>
}

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>

namespace imgmill {
namespace {

ErrorLog* LogOf(void* about) {
  if (about == nullptr) return nullptr;
  const AVClass* kind = *static_cast<const AVClass* const*>(about);
  if (kind == nullptr || kind->class_name == nullptr) return nullptr;
  const std::string_view name = kind->class_name;
  if (name == "AVCodecContext") return static_cast<ErrorLog*>(static_cast<AVCodecContext*>(about)->opaque);
  if (name == "AVFormatContext") return static_cast<ErrorLog*>(static_cast<AVFormatContext*>(about)->opaque);
  return nullptr;
}

/// H.261 knows no key frames: of each stream FFmpeg says that it does not begin with one.
bool IsNoError(void* about, std::string_view format) {
  const AVClass* kind = *static_cast<const AVClass* const*>(about);
  return kind->class_name == std::string_view("AVCodecContext") &&
         static_cast<AVCodecContext*>(about)->codec_id == AV_CODEC_ID_H261 &&
         format.find("is no keyframe") != std::string_view::npos;
}

void Note(void* about, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_INFO) return;
  ErrorLog* log = LogOf(about);
  if (log == nullptr) return;
  if (level > AV_LOG_ERROR) {
    if (std::string_view(format).starts_with("concealing")) ++log->concealed;
    return;
  }
  if (IsNoError(about, format) || ++log->errors > 1) return;
  char line[200];
  std::vsnprintf(line, sizeof line, format, arguments);
  log->first = line;
  while (!log->first.empty() && static_cast<unsigned char>(log->first.back()) <= ' ') log->first.pop_back();
}

void TakeOver() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(&Note); });
}

}  // namespace

void KeepErrors(AVCodecContext& context, ErrorLog& log) {
  TakeOver();
  context.opaque = &log;
}

void KeepErrors(AVFormatContext& context, ErrorLog& log) {
  TakeOver();
  context.opaque = &log;
}

std::string ErrorLog::Text(int error) const {
  if (error == AVERROR(ENOMEM)) return "out of memory";
  if (!first.empty()) return first;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof text);
  return text;
}

}  // namespace imgmill
