// What can go wrong with one image or one run: where it happened, which kind it is, and what to do about it.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// The part of the way through the engine at which something failed.
enum class Stage {
  kConfigure,
  kList,
  kProbe,
  kAdmit,
  kDecode,
  kCompute,
  kReduce,
  kEncode,
  kWrite,
  kAct,
  kCatalog
};

/// The kind of failure. Names are stable: they appear in reports and JSON, and scripts match on them.
enum class Code {
  kUsage,          ///< a flag or configuration value is wrong
  kNotFound,       ///< the file or folder does not exist, or vanished
  kPermission,     ///< not allowed to read or write
  kReadError,      ///< the operating system could not read
  kWriteError,     ///< the operating system could not write
  kDiskFull,       ///< no space left; a rerun resumes once there is some
  kUnknownFormat,  ///< not an image that any reader knows
  kMalformed,      ///< an image whose data is broken
  kTruncated,      ///< an image whose data ends early
  kUnsupported,    ///< a valid file that uses something we cannot handle
  kLimitExceeded,  ///< more pixels, bytes or dropped images than a limit allows
  kTooLarge,       ///< its smallest lease does not fit the memory budget
  kOutOfMemory,    ///< refused by a pool or device, after the last rung
  kDeviceLost,     ///< the device no longer answers
  kModelError,     ///< a weight file or model that cannot be used
  kConflict,       ///< two sources want one output, or an output exists already
  kLocked,         ///< another process holds the catalog or output
  kInterrupted,    ///< a signal asked to stop; run again to resume
  kInternal,       ///< a bug of ours
};

std::string_view ToString(Stage stage);
std::string_view ToString(Code code);

/// A failure as a value. `message` says what is wrong and what would help, without the file's name: the code
/// that prints it puts "PATH: cannot STAGE: " in front.
struct Error {
  Stage stage = Stage::kConfigure;
  Code code = Code::kInternal;
  std::string message;
};

/// "photo.jpg: cannot decode: JPEG data ends at row 212 of 321 (use --allow-truncated to ...)"
std::string Describe(std::string_view path, const Error& error);

/// Process exit codes, as docs/exit-codes.md promises them.
enum class ExitCode : int {
  kDone = 0,        ///< everything done
  kSomeFailed = 1,  ///< done, some images failed
  kUsage = 2,       ///< usage or configuration; nothing was done
  kCannot = 3,      ///< cannot be done; a rerun will not help
  kFindings = 4,    ///< --check found something
  kRetry = 75,      ///< interrupted or locked; run again to resume (EX_TEMPFAIL)
};

}  // namespace imgmill
