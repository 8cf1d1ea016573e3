// Names of stages and codes, as they stand in reports, and the one sentence a failure becomes.
#include "imgmill/base/error.h"

#include "imgmill/base/path_text.h"

namespace imgmill {

std::string_view ToString(Stage stage) {
  switch (stage) {
    case Stage::kConfigure:
      return "configure";
    case Stage::kList:
      return "list";
    case Stage::kProbe:
      return "probe";
    case Stage::kAdmit:
      return "admit";
    case Stage::kDecode:
      return "decode";
    case Stage::kCompute:
      return "compute";
    case Stage::kReduce:
      return "reduce";
    case Stage::kEncode:
      return "encode";
    case Stage::kWrite:
      return "write";
    case Stage::kAct:
      return "act";
    case Stage::kCatalog:
      return "catalog";
  }
  return "unknown";
}

std::string_view ToString(Code code) {
  switch (code) {
    case Code::kUsage:
      return "usage";
    case Code::kNotFound:
      return "not_found";
    case Code::kPermission:
      return "permission";
    case Code::kReadError:
      return "read_error";
    case Code::kWriteError:
      return "write_error";
    case Code::kDiskFull:
      return "disk_full";
    case Code::kUnknownFormat:
      return "unknown_format";
    case Code::kMalformed:
      return "malformed";
    case Code::kTruncated:
      return "truncated";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kLimitExceeded:
      return "limit_exceeded";
    case Code::kTooLarge:
      return "too_large";
    case Code::kOutOfMemory:
      return "out_of_memory";
    case Code::kDeviceLost:
      return "device_lost";
    case Code::kModelError:
      return "model_error";
    case Code::kConflict:
      return "conflict";
    case Code::kLocked:
      return "locked";
    case Code::kInterrupted:
      return "interrupted";
    case Code::kInternal:
      return "internal";
  }
  return "unknown";
}

std::string Describe(std::string_view path, const Error& error) {
  std::string text = PrintablePath(path);
  text += ": cannot ";
  text += ToString(error.stage);
  text += ": ";
  text += error.message;
  return text;
}

}  // namespace imgmill
