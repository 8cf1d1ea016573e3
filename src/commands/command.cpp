// The shared options' checks, and the log of outcomes.
#include "imgmill/commands/command.h"

#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "archive/archive_path.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "cut_images.h"
#include "foreseen_names.h"
#include "image/readable_part.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/memory/memory_flag.h"
#include "imgmill/report/run_report.h"
#include "model_loading.h"
#include "networks/graph_runtime.h"

namespace imgmill {

std::optional<std::string> SharedOptions::Check() const {
  if (const std::optional<std::string> wrong = list.Check()) return wrong;
  if (json && jsonl) return "--json and --jsonl contradict each other";
  if (no_catalog && !catalog.empty()) return "--catalog and --no-catalog contradict each other";
  if (jobs < 0 || jobs > 1024) return "-j takes 1 to 1024 (0: one for each core)";
  if (batch < 0 || batch > 4096) return "--batch takes 1 to 4096 (0: as the plan says)";
  static const std::regex devices(
      "(auto|all|cpu|cuda|hip|xpu|mps|mtia|privateuseone)(:[0-9]+)?(,[a-z]+(:[0-9]+)?)*");
  // The longest lists of devices are far below; std::regex recurses for each character.
  constexpr size_t kLongest = 1024;
  if (device.size() > kLongest) return "--device takes " + std::to_string(kLongest) + " bytes at most";
  if (!std::regex_match(device, devices)) {
    return "unknown --device \"" + PrintablePath(device) +
           "\" (auto, all, cpu, cpu:0,cpu:1, cuda, cuda:0,cuda:1 ...)";
  }
  if (kernels != kKernelChoices[0] && kernels != kKernelChoices[1])
    return "unknown --kernels \"" + PrintablePath(kernels) + "\": it takes auto or reference";
  if (limits.max_pixels < 1) return "--max-pixels must be at least 1";
  return std::nullopt;
}

int CommandServices::workers() const {
  if (shared->jobs > 0) return shared->jobs;
  cpu_set_t allowed;  // what a container or taskset leaves us, not what the machine has
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
  return 1;
}

namespace {

Status RoomForLibTorch(MemoryManager& memory) {
  // Measured by bench/model_memory_perftest, the same for every version and machine within a few MiB. It
  // cannot be known from the files: nine tenths are the loader's and the registries of operators.
  constexpr size_t kWhileOpened = 106 * kMiB;
  if (LibTorchIsMapped()) return {};
  const MemoryInfo info = memory.Info();
  const size_t need = info.process.resident + kWhileOpened;
  if (need <= info.budget) return {};
  return UsageError("LibTorch, which this model needs, takes " + FormatByteSize(kWhileOpened) +
                    " beside the " + FormatByteSize(info.process.resident) +
                    " that imgmill holds: more than the memory budget of " + FormatByteSize(info.budget) +
                    " (" + info.budget_source + "; use " + MemoryFlag(need + kMiB) + " or more)");
}

/// LibTorch within the budget, with what it holds counted as the process's.
Result<std::unique_ptr<ModelRuntime>> OpenLibTorchWithin(MemoryManager& memory, int threads,
                                                         KernelChoice kernels) {
  TRY(RoomForLibTorch(memory));
  std::unique_ptr<ModelRuntime> runtime = TRY(OpenModelRuntime(memory, threads, kernels));
  memory.Rebaseline();
  return runtime;
}

}  // namespace

Status CommandServices::RoomForLibraryOf(const std::string& weight_file) const {
  if (shared->kernels == kKernelChoices[0] && !NeedsLibTorch(weight_file, shared->device)) return {};
  return RoomForLibTorch(*memory);
}

Result<ModelRuntime*> CommandServices::OpenModels() const {
  if (!*models) {
    std::unique_ptr<ModelRuntime> runtime;
    if (shared->kernels == kKernelChoices[0]) {
      runtime = MakeGraphRuntime(*memory, workers(), [on = memory, threads = workers()] {
        return OpenLibTorchWithin(*on, threads, KernelChoice::kFastest);
      });
    } else {
      runtime = TRY(OpenLibTorchWithin(*memory, workers(), KernelChoice::kReference));
    }
    TRY(runtime->AddDevices(shared->device, shared->device_memory));
    *models = std::move(runtime);
  }
  return models->get();
}

namespace {

/// Pages of LibTorch's code and tables that become resident when a model is first read and run: 24 MiB for a
/// TorchScript network, less for weights alone. Our own kernels are small.
constexpr size_t kFirstUse = 32 * kMiB, kOwnFirstUse = 2 * kMiB;

Status RoomForCopies(const CommandServices& services, const std::string& path, size_t copies) {
  const Result<FileStamp> file = StampOf(path);
  if (!file) return {};  // loading says what is wrong with it
  services.memory->Rebaseline();
  const bool libtorch = LibTorchIsMapped();
  const Status fits =
      services.memory->Fits({copies * static_cast<size_t>(file->size), libtorch ? kFirstUse : kOwnFirstUse});
  if (fits) return {};
  return UsageError(PrintablePath(path) + ": its weights do not fit" + (libtorch ? " beside LibTorch" : "") +
                    ": " + fits.error().message);
}

}  // namespace

Result<ContentDigest> DigestOfModel(const std::string& path) {
  Result<ContentDigest> digest = DigestOf(path);
  if (digest) return digest;
  Error error = digest.error();
  error.stage = Stage::kConfigure;
  error.message = PrintablePath(path) + ": the model cannot be read: " + error.message;
  return error;
}

Status RoomForModel(const CommandServices& services, const std::string& path) {
  // Of most files, the weights as the kernels want them; values are read a layer at a time.
  return RoomForCopies(services, path, 1);
}

Error NoRoomForModel(const CommandServices& services, const std::string& path, const Error& ran_out) {
  // Of half precision, the weights in float32, and the largest layer as LibTorch and as the kernels want it;
  // of a program, all of it as it is, and once more.
  const Status room = RoomForCopies(services, path, 3);
  if (!room) return room.error();
  return UsageError(PrintablePath(path) + ": " + ran_out.message);
}

Result<std::string> FirstUnlisted(const FailureTable& failed) {
  std::string path;
  const Status read = failed.ForEach([&](const FailedItem& item) {
    const Code code = item.error.code;
    // What is listed and of no use, such as a sparse file in an archive, or an image without partner.
    if (!path.empty() || item.error.stage != Stage::kList || code == Code::kUnsupported ||
        code == Code::kConflict)
      return Status();
    struct stat info {};
    if (code != Code::kNotFound || StatPath(item.path, &info) != 0) path = item.path;
    return Status();
  });
  if (!read) return read.error();
  return path;
}

size_t PlacedFiles::HashOfSource(const std::string& path, const std::optional<ContentDigest>& content) {
  return std::hash<std::string>()(content ? path + "\n" + content->Hex() : path);
}

JsonRows PathsOf(const FileTable& files) {
  return [files](JsonElements& elements) {
    return files.ForEach([&](const ListedFile& file) { return elements.Put(PrintablePath(file.path)); });
  };
}

void CommandResult::MarkDropped(const CommandServices& services, const ListedFile& file,
                                const std::function<std::string()>& why) {
  if (!services.put_line && !HasVerdictOf(file)) return;
  std::string reason = why();
  if (services.put_line) {
    JsonObject line;
    line["event"] = "verdict";
    line["path"] = PrintablePath(file.path);
    line["verdict"] = "dropped";
    line["reason"] = reason;
    services.put_line(std::move(line));
  }
  if (!HasVerdictOf(file)) return;
  verdicts[file.index].end = ItemVerdict::End::kDropped;
  verdicts[file.index].why = std::move(reason);
}

namespace {

std::string_view ToString(Outcome::State state) {
  switch (state) {
    case Outcome::State::kDone:
      return "done";
    case Outcome::State::kSkipped:
      return "skipped";
    case Outcome::State::kFailed:
      return "failed";
  }
  return "unknown";
}

JsonObject LineOf(const Outcome& outcome, const std::string& output_folder) {
  JsonObject line;
  line["path"] = PrintablePath(outcome.file.path);
  line["state"] = ToString(outcome.state);
  if (outcome.state == Outcome::State::kFailed) {
    line["error"] = ErrorJson(outcome.error.value_or(Error{}));
  }
  for (const std::string& output : outcome.outputs)
    line["outputs"].push_back(PrintablePath(output_folder + "/" + output));
  if (outcome.state == Outcome::State::kFailed) return line;
  if (outcome.off_plan()) line["off_plan"] = true;
  if (!outcome.notes.empty()) line["notes"] = outcome.notes;
  return line;
}

}  // namespace

void OutcomeLog::Record(const Outcome& outcome) {
  if (services_.put_line) services_.put_line(LineOf(outcome, output_folder_));
  if (services_.in_pipeline) {
    for (const std::string& output : outcome.outputs) outputs_.push_back(HashOfName(output));
  }
  if (services_.wants_verdicts() && verdicts_.size() < kMostVerdicts) {
    ItemVerdict& verdict = verdicts_.emplace_back();
    verdict.path = outcome.file.path;
    if (outcome.state == Outcome::State::kFailed) {
      verdict.end = ItemVerdict::End::kFailed;
      verdict.why = outcome.error.value_or(Error{}).message;
    }
    for (const std::string& output : outcome.outputs)
      verdict.outputs.push_back(output_folder_ + "/" + output);
  }
  if (outcome.state == Outcome::State::kFailed) {
    const Error error = outcome.error.value_or(Error{});
    services_.log(LogLevel::kError, Describe(outcome.file.path, error));
    failures_.Add({outcome.file.path, error});
    return;
  }
  for (const std::string& note : outcome.notes) {
    services_.log(IsPartNote(note) ? LogLevel::kWarning : LogLevel::kDebug,
                  PrintablePath(outcome.file.path) + ": " + note);
  }
  if (outcome.rung != Rung::kNone) {
    services_.log(LogLevel::kWarning, PrintablePath(outcome.file.path) + ": memory was short (" +
                                          std::string(ToString(outcome.rung)) + ")");
  }
}

Result<std::vector<CommandResult>> RunEngine(ItemSource& source, std::span<CommandRun* const> runs) {
  std::vector<Operation*> operations;
  const CommandRun& first = *runs.front();
  for (CommandRun* run : runs) {
    operations.push_back(&run->operation());
    // Known now, not after all the work.
    const Status room = first.engine.memory->Fits({0, run->ReduceBytes(source.Expected())});
    if (!room) {
      return UsageError("what " + run->operation().traits().name + " needs when it has looked at all " +
                        std::to_string(source.Expected()) + " images: " + room.error().message);
    }
  }
  EngineServices services = first.engine;
  std::vector<CutImages> cut;
  for (const Operation* operation : operations) cut.emplace_back(*operation, *services.catalog);
  services.on_outcome = [runs, &cut](size_t run, const Outcome& outcome) {
    runs[run]->log.Record(outcome);
    cut[run].Add(outcome);
  };
  const std::vector<RunCounts> counts =
      TRY(Engine(first.options, services).Run(first.source ? *first.source : source, operations));
  std::vector<CommandResult> results(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    results[i].counts = counts[i];
    results[i].failed = runs[i]->log.failures();
    results[i].verdicts = runs[i]->log.TakeVerdicts();
    if (!cut[i].empty()) results[i].details.SetRows("cut", cut[i].Rows());
  }
  return results;
}

Result<CommandResult> Command::Run(ItemSource& source, const CommandServices& services) {
  const ChecksAhead& checks = ChecksAhead::Of(*this);
  TRY(checks.MayRead(services, {}));
  TRY(checks.MayWrite(services, {}));
  std::unique_ptr<CommandRun> run = TRY(Begin(source, services));
  CommandRun* const one[] = {run.get()};
  std::vector<CommandResult> mapped = TRY(RunEngine(source, one));
  return run->Reduce(std::move(mapped.front()));
}

}  // namespace imgmill
