// Declares the shared flags on a CLI11 app, each with what it does and what happens otherwise.
#include "shared_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flag_words.h"

namespace imgmill {

void AddByteSize(CLI::App& app, const std::string& flag, size_t& target, const std::string& help) {
  app.add_option_function<std::string>(
         flag,
         [flag, &target](const std::string& text) {
           const Result<size_t> size = ParseByteSize(text);
           if (!size) throw CLI::ValidationError(flag, size.error().message);
           target = *size;
         },
         help)
      ->type_name("SIZE");
}

namespace {

void AddListingFlags(CLI::App& app, ListOptions& list) {
  const char* group = "Which images";
  app.add_option("paths", list.paths, "Folders, files, tar archives")->type_name("PATH");
  app.add_option("--files-from", list.files_from, "Read paths from a file, one per line; - is stdin")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("-0,--null", list.nul_separated, "Paths in --files-from end with a NUL byte (find -print0)")
      ->group(group);
  app.add_flag("--recursive,!--no-recursive", list.recursive, "Go into sub-folders [on]")->group(group);
  app.add_option("--include", list.include, "Only files that match a pattern: *.jpg, train/**")
      ->type_name("GLOB")
      ->group(group);
  app.add_option("--exclude", list.exclude, "Skip files that match a pattern")
      ->type_name("GLOB")
      ->group(group);
}

/// A strategy of the memory manager by name; the first of `names` is the default.
void AddStrategy(CLI::App& app, const char* flag, std::string& chosen, const std::vector<std::string>& names,
                 const std::string& what) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  CLI::Option* option = app.add_option_function<std::string>(
      flag,
      [&chosen, names, list, flag](const std::string& name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
          throw CLI::ValidationError(flag, "takes one of " + list + ", not \"" + PrintablePath(name) + "\"");
        chosen = name;
      },
      what + ": " + list + " [" + names.front() + "]");
  TakesWords(option, names)->type_name("NAME");
}

}  // namespace

void AddSharedFlags(CLI::App& app, SharedOptions& options, std::string& config_file, bool listing) {
  if (listing) AddListingFlags(app, options.list);

  const char* memory = "Memory and devices";
  AddByteSize(app, "--memory", options.memory,
              "Budget of the whole process [the cgroup's limit, or 80 % of what is free]");
  AddByteSize(app, "--device-memory", options.device_memory, "Budget of each device [what is free there]");
  TakesWords(app.add_option("--device", options.device, "auto, cpu, cpu:0,cpu:1, cuda, cuda:1 ..."),
             kSomeDevices)
      ->capture_default_str()
      ->type_name("NAME");
  TakesWords(app.add_option("--kernels", options.kernels,
                            "A model's layers on the CPU: auto (the fastest), reference (LibTorch alone)"),
             kKernelChoices)
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--batch", options.batch, "Tiles that a device processes at once [the model's plan]")
      ->type_name("N");
  AddStrategy(app, "--cache", options.cache, CacheStrategyNames(), "When to give freed memory back");
  AddStrategy(app, "--batch-sizing", options.batch_sizing, BatchSizingNames(),
              "How to choose the number of batches in flight");
  app.add_option("-j,--jobs", options.jobs, "Images processed at once, and a model's threads [one per core]")
      ->type_name("N");
  for (const char* flag : {"--memory", "--device-memory", "--device", "--kernels", "--batch", "--cache",
                           "--batch-sizing", "--jobs"}) {
    app.get_option(flag)->group(memory);
  }

  const char* run = "The run";
  app.add_option("--catalog", options.catalog, "Folder for the catalog of facts and finished work")
      ->type_name("DIR");
  app.add_flag("--no-catalog", options.no_catalog, "Keep no catalog: remember nothing for later runs");
  app.add_flag("--force", options.force,
               "Compute everything again; replace files that imgmill did not write");
  const auto dry_run = [&mode = options.mode] {
    if (mode == RunMode::kRun) mode = RunMode::kDryRun;  // a plan has been asked for on the command line
  };
  app.add_flag_callback("--dry-run", dry_run, "Show what would be done, change nothing");
  app.add_option("--max-pixels", options.limits.max_pixels, "Refuse images with more pixels, before decoding")
      ->capture_default_str()
      ->type_name("N");
  app.add_flag("--allow-truncated", options.allow_truncated, "Use the readable part of broken files");
  app.add_option("--config", config_file, "YAML file with options named like the flags; a flag overrides it")
      ->type_name("FILE");
  for (const char* flag : {"--catalog", "--no-catalog", "--force", "--dry-run", "--max-pixels",
                           "--allow-truncated", "--config"}) {
    app.get_option(flag)->group(run);
  }

  const char* output = "Output and logging";
  app.add_flag("--json", options.json, "One JSON document on stdout");
  app.add_flag("--jsonl", options.jsonl, "One line of JSON per image as it finishes, and one for the run");
  app.add_option("--report", options.report, "A JSON report of the whole run, memory included")
      ->type_name("FILE");
  app.add_flag("--watch-memory", options.watch_memory,
               "One image at a time, each one's memory peak in the report; slow");
  app.add_option("--report-page", options.report_page, "A readable page: what happened to each image")
      ->type_name("FILE.html");
  app.add_option("--metrics-file", options.metrics_file, "The run's figures as Prometheus text, when it ends")
      ->type_name("FILE.prom");
  app.add_option("--log-file", options.log_file, "Also log to a file, with times")->type_name("FILE");
  app.add_flag_function(
      "-v,--verbose", [&options](int64_t n) { options.verbosity = static_cast<int>(n); }, "More detail");
  app.add_flag_function(
      "-q,--quiet", [&options](int64_t) { options.verbosity = -1; }, "Only errors, no progress");
  for (const char* flag : {"--json", "--jsonl", "--report", "--watch-memory", "--report-page",
                           "--metrics-file", "--log-file", "--verbose", "--quiet"}) {
    app.get_option(flag)->group(output);
  }
}

}  // namespace imgmill
