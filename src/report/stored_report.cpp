// Reads what may be any JSON: a field of the wrong type is a field that is not there.
#include "imgmill/report/stored_report.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "imgmill/base/errno_error.h"

namespace imgmill {
namespace {

using Json = nlohmann::json;

/// Highest number that is taken for bytes or a count: doubles are exact up to here.
constexpr double kLargest = 9007199254740992.0;

const Json& At(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

double Number(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_number() ? std::clamp(value.get<double>(), -kLargest, kLargest) : 0;
}

size_t Count(const Json& object, const char* key) {
  return static_cast<size_t>(std::clamp(Number(object, key), 0.0, kLargest));
}

std::string Text(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool Flag(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_boolean() && value.get<bool>();
}

Rung RungOf(const std::string& name) {
  for (int rung = 0; rung <= static_cast<int>(Rung::kRecordedFailure); ++rung) {
    if (name == ToString(static_cast<Rung>(rung))) return static_cast<Rung>(rung);
  }
  return Rung::kNone;
}

StoredFailure Failure(const Json& json) {
  return {Text(json, "path"), Text(json, "stage"), Text(json, "code"), Text(json, "message")};
}

/// Lets through what a page shows; counts failures beyond those it lists.
class Sieve {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth == 1 && event == Event::key) {
      top_ = parsed.get<std::string>();
      return kTop.contains(top_);
    }
    if (top_ == "steps" && depth == 3 && event == Event::key) {
      return kOfSteps.contains(parsed.get<std::string>());
    }
    if (depth == 2 && event == Event::object_end) {
      uint64_t* const count = top_ == "failed"            ? &failed
                              : top_ == "action_failures" ? &action_failed
                                                          : nullptr;
      if (count != nullptr) return ++*count <= kMostFailuresRead;
    }
    return true;
  }

  uint64_t failed = 0;
  uint64_t action_failed = 0;

 private:
  static inline const std::set<std::string> kTop = {
      "schema",    "command",  "version",         "listed", "done",   "skipped",
      "off_plan",  "recalled", "interrupted",     "failed", "steps",  "command_line",
      "libraries", "seconds",  "action_failures", "error",  "memory", "history"};
  static inline const std::set<std::string> kOfSteps = {"step", "listed", "kept", "dropped"};
  std::string top_;
};

PoolStats Pool(const Json& json) {
  PoolStats pool;
  pool.cap = Count(json, "cap");
  pool.charged = Count(json, "charged");
  pool.live = Count(json, "live");
  pool.cached = Count(json, "cached");
  pool.peak_charged = Count(json, "peak_charged");
  pool.peak_live = Count(json, "peak_live");
  pool.allocations = Count(json, "allocations");
  pool.refusals = Count(json, "refusals");
  return pool;
}

MemoryInfo Memory(const Json& json) {
  MemoryInfo info;
  info.budget = Count(json, "budget");
  info.budget_source = Text(json, "budget_source");
  info.process.resident = Count(json, "resident");
  info.process.peak_resident = Count(json, "peak_resident");
  info.fixed = Count(json, "fixed");
  info.peak_leased = Count(json, "peak_leased");
  info.peak_unexplained = Count(json, "peak_unexplained");
  // Reports of earlier versions have the second name.
  info.peak_unavailable = std::max(Count(json, "peak_unavailable"), Count(json, "peak_squeezed"));
  info.leases_granted = Count(json, "leases_granted");
  info.leases_waited = Count(json, "leases_waited");
  info.clears = Count(json, "clears");
  info.clear_ms = Number(json, "clear_ms");
  info.host = Pool(At(json, "host_pool"));
  for (size_t rung = 0; rung < std::size(info.rungs); ++rung) {
    const std::string name(ToString(static_cast<Rung>(rung)));
    info.rungs[rung] = Count(At(json, "rungs"), name.c_str());
  }
  const Json& devices = At(json, "devices");
  for (size_t i = 0; devices.is_array() && i < devices.size(); ++i) {
    MemoryInfo::NamedDevice device;
    device.name = Text(devices[i], "name");
    device.budget = Count(devices[i], "budget");
    device.stats.allocated = Count(devices[i], "allocated");
    device.stats.peak_allocated = Count(devices[i], "peak_allocated");
    device.stats.peak_held = Count(devices[i], "peak");
    device.stats.context = Count(devices[i], "context");
    device.stats.out_of_memory_count = Count(devices[i], "out_of_memory_count");
    device.lost = Flag(devices[i], "lost");
    const Json& errors = At(devices[i], "errors");
    for (size_t k = 0; errors.is_array() && k < errors.size(); ++k)
      device.errors.push_back({Text(errors[k], "text"), Count(errors[k], "count")});
    info.devices.push_back(std::move(device));
  }
  const Json& warnings = At(json, "warnings");
  for (size_t i = 0; warnings.is_array() && i < warnings.size(); ++i) {
    if (warnings[i].is_string()) info.warnings.push_back(warnings[i].get<std::string>());
  }
  return info;
}

BatchRecord Batch(const Json& json) {
  BatchRecord batch;
  batch.work = Text(json, "work");
  batch.device = Text(json, "device");
  batch.shape.n = static_cast<int64_t>(Count(json, "n"));
  batch.shape.width = static_cast<int64_t>(Count(json, "width"));
  batch.shape.height = static_cast<int64_t>(Count(json, "height"));
  batch.predicted.pooled = Count(json, "predicted_pooled");
  batch.predicted.untracked =
      Count(json, "predicted") - std::min(Count(json, "predicted"), batch.predicted.pooled);
  batch.pooled_peak = Count(json, "actual_pooled");
  batch.resident_before = Count(json, "resident_before");
  batch.resident_peak = Count(json, "actual");
  batch.rung = RungOf(Text(json, "rung"));
  batch.attempts = static_cast<int>(std::min<size_t>(Count(json, "attempts"), 1000000));
  batch.failed = Flag(json, "failed");
  batch.start_ms = Number(json, "start_ms");
  batch.duration_ms = Number(json, "ms");
  return batch;
}

MemoryPeak Peak(const Json& json) {
  return {Count(json, "bytes"), Number(json, "ms")};
}

MemoryHistory History(const Json& json) {
  MemoryHistory history;
  const Json& batches = At(json, "batches");
  for (size_t i = 0; batches.is_array() && i < batches.size(); ++i) {
    history.batches.push_back(Batch(batches[i]));
    ++history.batches_by_rung[static_cast<size_t>(history.batches.back().rung)];
    if (history.batches.back().failed) ++history.batches_failed;
  }
  history.batches_total = std::max<uint64_t>(Count(json, "batches_total"), history.batches.size());
  // The summary counts those that are not listed, too.
  if (const Json& summary = At(json, "summary"); summary.is_object()) {
    history.batches_failed = Count(summary, "failed");
    for (size_t rung = 0; rung < history.batches_by_rung.size(); ++rung) {
      const std::string name(ToString(static_cast<Rung>(rung)));
      history.batches_by_rung[rung] = Count(At(At(summary, "rungs"), name.c_str()), "batches");
    }
  }
  const Json& moments = At(json, "moments");
  for (size_t i = 0; moments.is_array() && i < moments.size(); ++i) {
    history.moments.push_back({Number(moments[i], "ms"), Count(moments[i], "resident"),
                               Count(moments[i], "charged"), Count(moments[i], "leased"),
                               Count(moments[i], "budget")});
  }
  const Json& clears = At(json, "clears");
  for (size_t i = 0; clears.is_array() && i < clears.size(); ++i) {
    history.clears.push_back(
        {Number(clears[i], "start_ms"), Number(clears[i], "ms"), Count(clears[i], "bytes")});
  }
  const Json& peaks = At(json, "peaks");
  history.resident = Peak(At(peaks, "resident"));
  history.charged = Peak(At(peaks, "charged"));
  history.leased = Peak(At(peaks, "leased"));
  return history;
}

StoredReport Report(const Json& json, const Sieve& sieve) {
  StoredReport report;
  report.command = Text(json, "command");
  report.version = Text(json, "version");
  report.command_line = Text(json, "command_line");
  report.libraries = Text(json, "libraries");
  report.seconds = Number(json, "seconds");
  report.counted = json.contains("listed");
  report.listed = Count(json, "listed");
  report.done = Count(json, "done");
  report.skipped = Count(json, "skipped");
  report.off_plan = Count(json, "off_plan");
  report.recalled = Count(json, "recalled");
  report.interrupted = Flag(json, "interrupted");
  if (json.contains("error")) report.error = Failure(json["error"]);
  const Json& failed = At(json, "failed");
  for (size_t i = 0; failed.is_array() && i < failed.size(); ++i) report.failed.push_back(Failure(failed[i]));
  report.failed_total = sieve.failed;
  const Json& action = At(json, "action_failures");
  for (size_t i = 0; action.is_array() && i < action.size(); ++i)
    report.action_failed.push_back(Failure(action[i]));
  report.action_failed_total = sieve.action_failed;
  const Json& steps = At(json, "steps");
  for (size_t i = 0; steps.is_array() && i < steps.size(); ++i) {
    report.steps.push_back({Text(steps[i], "step"), Count(steps[i], "listed"), Count(steps[i], "kept"),
                            Count(steps[i], "dropped")});
  }
  report.memory = Memory(json["memory"]);
  report.has_history = At(json, "history").is_object();
  if (report.has_history) report.history = History(json["history"]);
  return report;
}

Error NoReport(Code code, std::string why) {
  return {Stage::kConfigure, code, std::move(why)};
}

}  // namespace

Result<StoredReport> ReadReport(const std::string& path) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem))
    return NoReport(Code::kMalformed, "it is a folder; name the file that --report wrote");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int why = errno;
    return NoReport(CodeOfErrno(Stage::kConfigure, why), ErrnoText(why));
  }
  if (file.peek() == std::ifstream::traits_type::eof()) return NoReport(Code::kTruncated, "it is empty");
  Sieve sieve;
  Json json;
  try {
    json = Json::parse(file, [&sieve](int depth, Json::parse_event_t event, Json& parsed) {
      return sieve(depth, event, parsed);
    });
  } catch (const Json::parse_error& error) {
    if (file.eof())
      return NoReport(Code::kTruncated, "it is cut short: its JSON ends too early, after " +
                                            std::to_string(error.byte - 1) + " bytes");
    return NoReport(Code::kMalformed,
                    "it is not a report: byte " + std::to_string(error.byte) + " is not valid report JSON");
  } catch (const Json::exception&) {
    return NoReport(Code::kMalformed, "it is not a report: it holds a number that is out of range");
  }
  if (Text(json, "schema") != "imgmill/1")
    return NoReport(Code::kMalformed,
                    "it is not an imgmill report: it does not say \"schema\": \"imgmill/1\"");
  if (!At(json, "memory").is_object())
    return NoReport(Code::kMalformed,
                    "it is what --json prints; a report, with the run's memory, is written by "
                    "--report FILE");
  return Report(json, sieve);
}

}  // namespace imgmill
