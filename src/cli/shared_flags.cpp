// Declares the shared flags, each with what it does and what happens otherwise.
#include "shared_flags.h"

#include <algorithm>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"

namespace imgmill {

void AddByteSize(Flags& flags, const std::string& flag, size_t& target, const std::string& help) {
  const auto take = [&target](const std::string& text) -> std::optional<std::string> {
    const Result<size_t> size = ParseByteSize(text);
    if (!size) return size.error().message;
    target = *size;
    return std::nullopt;
  };
  flags.AddChecked<std::string>(flag, take, help).Type("SIZE");
}

namespace {

void AddListingFlags(Flags& flags, ListOptions& list) {
  flags.Add("paths", list.paths, "Folders, files, tar archives").Type("PATH");
  flags.Group("Which images");
  flags.Add("--files-from", list.files_from, "Read paths from a file, one per line; - is stdin").Type("FILE");
  flags.AddSwitch("-0,--null", list.nul_separated,
                  "Paths in --files-from end with a NUL byte (find -print0)");
  flags.AddSwitch("--recursive,!--no-recursive", list.recursive, "Go into sub-folders [on]");
  flags.Add("--include", list.include, "Only files that match a pattern: *.jpg, train/**").Type("GLOB");
  flags.Add("--exclude", list.exclude, "Skip files that match a pattern").Type("GLOB");
}

/// A strategy of the memory manager by name; the first of `names` is the default.
void AddStrategy(Flags& flags, const char* flag, std::string& chosen, const std::vector<std::string>& names,
                 const std::string& what) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  const auto take = [&chosen, names, list](const std::string& name) -> std::optional<std::string> {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return "takes one of " + list + ", not \"" + PrintablePath(name) + "\"";
    chosen = name;
    return std::nullopt;
  };
  flags.AddChecked<std::string>(flag, take, what + ": " + list + " [" + names.front() + "]")
      .Words(names)
      .Type("NAME");
}

}  // namespace

void AddSharedFlags(Flags& flags, SharedOptions& options, std::string& config_file, bool listing) {
  if (listing) AddListingFlags(flags, options.list);

  flags.Group("Memory and devices");
  AddByteSize(flags, "--memory", options.memory,
              "Budget of the whole process [the cgroup's limit, or 80 % of what is free]");
  AddByteSize(flags, "--device-memory", options.device_memory, "Budget of each device [what is free there]");
  flags.Add("--device", options.device, "auto, all, cpu, cpu:0,cpu:1, cuda, cuda:1 ...")
      .Words(kSomeDevices)
      .ShowDefault()
      .Type("NAME");
  flags
      .Add("--kernels", options.kernels,
           "A model's layers on the CPU: auto (the fastest), reference (LibTorch alone)")
      .Words(kKernelChoices)
      .ShowDefault()
      .Type("NAME");
  flags.Add("--batch", options.batch, "Tiles that a device processes at once [the model's plan]").Type("N");
  AddStrategy(flags, "--cache", options.cache, CacheStrategyNames(), "When to give freed memory back");
  AddStrategy(flags, "--batch-sizing", options.batch_sizing, BatchSizingNames(),
              "How to choose the number of batches in flight");
  flags.Add("-j,--jobs", options.jobs, "Images processed at once, and a model's threads [one per core]")
      .Type("N");

  flags.Group("The run");
  flags.Add("--catalog", options.catalog, "Folder for the catalog of facts and finished work").Type("DIR");
  flags.AddSwitch("--no-catalog", options.no_catalog, "Keep no catalog: remember nothing for later runs");
  flags.AddSwitch("--force", options.force,
                  "Compute everything again; replace files that imgmill did not write");
  const auto dry_run = [&mode = options.mode](int times) {
    // A plan may have been asked for on the command line.
    if (times > 0 && mode == RunMode::kRun) mode = RunMode::kDryRun;
  };
  flags.AddCounted("--dry-run", dry_run, "Show what would be done, change nothing");
  flags.Add("--max-pixels", options.limits.max_pixels, "Refuse images with more pixels, before decoding")
      .ShowDefault()
      .Type("N");
  flags.AddSwitch("--allow-truncated", options.allow_truncated, "Use the readable part of broken files");
  flags.Add("--config", config_file, "YAML file with options named like the flags; a flag overrides it")
      .Type("FILE");

  flags.Group("Output and logging");
  flags.AddSwitch("--json", options.json, "One JSON document on stdout");
  flags.AddSwitch("--jsonl", options.jsonl, "One line of JSON per image as it finishes, and one for the run");
  flags.Add("--report", options.report, "A JSON report of the whole run, memory included").Type("FILE");
  flags.AddSwitch("--watch-memory", options.watch_memory,
                  "One image at a time, each one's memory peak in the report; slow");
  flags.Add("--report-page", options.report_page, "A readable page: what happened to each image")
      .Type("FILE.html");
  flags.Add("--metrics-file", options.metrics_file, "The run's figures as Prometheus text, when it ends")
      .Type("FILE.prom");
  flags.Add("--log-file", options.log_file, "Also log to a file, with times").Type("FILE");
  flags.AddCounted(
      "-v,--verbose", [&options](int times) { options.verbosity = times; }, "More detail");
  flags.AddCounted(
      "-q,--quiet", [&options](int) { options.verbosity = -1; }, "Only errors, no progress");
  flags.Group();
}

}  // namespace imgmill
