// The embed command: runs the operation, exports what it gave, sums up.
#include "imgmill/commands/embed.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "base/counted.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/export_target.h"
#include "commands/readable_file.h"
#include "embed_operation.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/steps_before.h"
#include "import_operation.h"
#include "vector_export.h"
#include "vector_kinds.h"

namespace imgmill {
namespace {

class EmbedRun final : public CommandRun {
 public:
  EmbedRun(const CommandServices& services, OpenedEmbedding opened, std::unique_ptr<VectorExport> exported)
      : CommandRun(services),
        services_(services),
        opened_(std::move(opened)),
        rows_before_(opened_.store.file ? opened_.store.file->rows() : 0),
        exported_(std::move(exported)),
        wants_files_(services.in_pipeline),
        operation_(std::make_unique<EmbedOperation>(*opened_.embedder, opened_.store, nullptr, services,
                                                    /*needs_notes=*/false,
                                                    [this](EmbeddedImage& image) { Take(image); })) {}
  Operation& operation() override { return *operation_; }

  /// In place of making them.
  void TakeFrom(std::unique_ptr<ImportedVectors> imported) {
    imported_ = std::move(imported);
    auto importing = std::make_unique<ImportOperation>(*imported_, opened_.embedder->kind(), opened_.store,
                                                       services_.shared->allow_truncated,
                                                       [this](EmbeddedImage& image) { Take(image); });
    importing_ = importing.get();
    operation_ = std::move(importing);
    alone = true;  // it is not known to others as what makes vectors
  }

  Result<CommandResult> Reduce(CommandResult result) override {
    if (!status_) return status_.error();
    if (importing_ != nullptr && !importing_->status()) return importing_->status().error();
    result.kept = embedded_;
    result.kept_images = count_;
    const RunCounts& counts = result.counts;
    if (counts.interrupted) return result;
    opened_.embedder->Describe(result.details);
    const int dimension = opened_.store.file ? opened_.store.file->dimension() : 0;
    result.details["dimension"] = dimension;
    result.summary = Counted(count_, "vector of", "vectors of") + " " + std::to_string(dimension);
    if (known_before_ > 0) result.summary += ", " + std::to_string(known_before_) + " known before";
    if (imported_) DescribeImport(result);
    if (exported_ && !LeavesExport(exported_->files().front(), count_, services_, result)) {
      TRY(exported_->Commit());
      nlohmann::ordered_json files = nlohmann::ordered_json::array();
      std::string lines;
      for (const std::string& file : exported_->files()) {
        files.push_back(PrintablePath(file));
        lines += PrintablePath(file) + "\n";
      }
      result.text = WholeText(std::move(lines));
      result.details["exported"] = std::move(files);
    }
    return result;
  }

 private:
  void DescribeImport(CommandResult& result) const {
    const uint64_t missing = imported_->missing();
    const uint64_t there = imported_->rows() - missing;
    const uint64_t unused = there - std::min(there, count_);
    result.details["imported_rows"] = imported_->rows();
    result.details["missing_files"] = missing;
    if (missing > 0)
      services_.log(LogLevel::kWarning, std::to_string(missing) + " of " + std::to_string(imported_->rows()) +
                                            " rows are of files that are not there, the first of " +
                                            PrintablePath(imported_->first_missing()));
    if (unused > 0) result.summary += ", " + Counted(unused, "other row") + " not used";
  }

  void Take(EmbeddedImage& image) {
    if (exported_ && status_) {
      vector_.resize(static_cast<size_t>(image.vectors->dimension()));
      status_ = image.vectors->Read(image.place, vector_);
      if (status_) status_ = exported_->Add(image.file.path, image.content.Hex(), vector_);
    }
    ++count_;
    // Not what the catalog answered: which of two equal images is worked on is the threads' affair.
    if (image.place.row < rows_before_) ++known_before_;
    if (wants_files_) embedded_.Add(image.file);
  }

  const CommandServices& services_;
  OpenedEmbedding opened_;
  const uint64_t rows_before_;  ///< of vectors, when the run began
  std::unique_ptr<VectorExport> exported_;
  std::unique_ptr<ImportedVectors> imported_;
  FileTable embedded_;
  uint64_t count_ = 0, known_before_ = 0;
  const bool wants_files_;
  Status status_;  // of the export: the vectors themselves are safe in the catalog
  std::vector<float> vector_;
  std::unique_ptr<Operation> operation_;
  const ImportOperation* importing_ = nullptr;  ///< that, where it is one
};

/// The catalog's vectors of this name, if it has any: of as many numbers as the file's.
Result<OpenedEmbedding> OpenImported(const EmbedOptions& options, const ImportedVectors& imported,
                                     const CommandServices& services) {
  const std::string& name = options.embedding.model_name;
  OpenedEmbedding opened = TRY(WithVectors(MakeImportedEmbedder(name), services));
  if (!opened.store.file || opened.store.file->dimension() == imported.dimension()) return opened;
  return UsageError(PrintablePath(options.imported.file) + " has vectors of " +
                    std::to_string(imported.dimension()) +
                    " numbers, and those that the catalog has under \"" + name + "\" have " +
                    std::to_string(opened.store.file->dimension()) + ": give another --model-name");
}

class Embed final : public Command, public ChecksAhead {
 public:
  explicit Embed(Flags& flags);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::optional<std::string> CheckAlone(const SharedOptions& shared) const override {
    if (!shared.no_catalog || !options_.export_file.empty()) return std::nullopt;
    return "with --no-catalog the vectors would be lost: give --export FILE";
  }
  std::optional<uint64_t> PassesOn(uint64_t images) const override { return images; }
  std::string weight_file() const override { return options_.embedding.model; }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }

  std::optional<std::string> vector_maker() const override { return MakerOf(options_.embedding); }
  Status MayRead(const CommandServices& services, const StepsBefore&) const override {
    return options_.embedding.model.empty() ? Status() : MayBeWeights(services, options_.embedding.model);
  }
  Status MayWrite(const CommandServices& services, const StepsBefore& before) const override {
    if (options_.export_file.empty()) return {};
    const size_t named = options_.export_file.find_last_not_of('/');  // a folder has a slash behind its name
    TRY(MayPutInto("--export", options_.export_file.substr(0, named + 1), before));
    return VectorExport::MayCreate(options_.export_file, *services.catalog, services.shared->force);
  }

  std::vector<std::string> named_files() const override {
    return options_.export_file.empty() ? std::vector<std::string>()
                                        : VectorExport::FilesOf(options_.export_file);
  }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override {
    const SharedOptions& shared = *services.shared;
    const bool imports = !options_.imported.file.empty();
    std::unique_ptr<ImportedVectors> imported =
        TRY(imports ? ImportedVectors::Read(options_.imported, services)
                    : Result<std::unique_ptr<ImportedVectors>>(nullptr));
    OpenedEmbedding opened = TRY(imports ? OpenImported(options_, *imported, services)
                                         : OpenEmbedding(options_.embedding, services));
    std::unique_ptr<VectorExport> exported;
    if (!options_.export_file.empty() && shared.mode == RunMode::kRun) {
      std::unique_ptr<VectorExport> created =
          TRY(VectorExport::Create(options_.export_file, opened.embedder->kind(), services, shared.force));
      exported = std::move(created);
    }
    auto run = std::make_unique<EmbedRun>(services, std::move(opened), std::move(exported));
    if (imported) run->TakeFrom(std::move(imported));
    run->options.workers = EmbeddingWorkers(options_.embedding, services);
    return std::unique_ptr<CommandRun>(std::move(run));
  }

 private:
  EmbedOptions options_;
};

Embed::Embed(Flags& flags) {
  flags.Footer(
      "Example:\n"
      "  imgmill embed photos --export vectors.npy    the built-in descriptor: how an image looks\n"
      "  imgmill embed photos --model clip.safetensors    published weights, which define their input\n"
      "  imgmill embed photos --model mobilenet.pt --scale 1/127.5 --shift -1    TorchScript");
  flags
      .Add("--export", options_.export_file,
           "File for the vectors: .npy, .parquet, .csv, .jsonl, or a folder/ for clip-retrieval")
      .Type("FILE");
  flags
      .Add("--import", options_.imported.file,
           "Take vectors from this .npy or Parquet file, or clip-retrieval's folder; with --model-name")
      .Type("PATH");
  flags
      .Add("--import-names", options_.imported.names,
           "Paths of the images of an .npy file: .txt, a line each, or .parquet [NAME.paths.txt]")
      .Type("FILE");
  flags.Add("--import-base", options_.imported.base, "Folder that those paths begin at [the current one]")
      .Type("DIR");
  flags
      .Add("--import-columns", options_.imported.columns,
           "Columns of a Parquet file: of the paths, and of the vectors [by their names]")
      .Type("PATHS,VECTORS");
  AddEmbeddingFlags(flags, options_.embedding);
}

}  // namespace

std::optional<std::string> ImportOptions::Check() const {
  if (file.empty()) {
    if (!names.empty() || !base.empty() || !columns.empty())
      return "--import-names, --import-base and --import-columns go with --import";
    return std::nullopt;
  }
  std::error_code none;
  if (!std::filesystem::exists(file, none) && !none)
    return "--import " + PrintablePath(file) + " does not exist";
  const bool is_folder = std::filesystem::is_directory(file, none);
  if (!is_folder && !file.ends_with(".npy") && !file.ends_with(".parquet"))
    return "--import takes a file that ends in .npy or .parquet, or a folder, not " + PrintablePath(file);
  if (auto wrong = CheckReadable(file, "file of vectors")) return wrong;
  if (!names.empty() && (is_folder || !file.ends_with(".npy")))
    return "--import-names goes with an .npy file: others name their images themselves";
  if (!base.empty() && !HoldsFiles(base)) return "--import-base " + PrintablePath(base) + " is not a folder";
  const size_t comma = columns.find(',');
  if (!columns.empty() && (comma == 0 || comma == std::string::npos || comma + 1 == columns.size()))
    return "--import-columns takes two names with a comma between them";
  return std::nullopt;
}

std::optional<std::string> EmbedOptions::Check() const {
  if (auto wrong = imported.Check()) return wrong;
  if (!imported.file.empty() && !embedding.model.empty())
    return "--import takes the place of --model: say with --model-name what made the vectors";
  if (imported.file.empty() != embedding.model_name.empty())
    return imported.file.empty()
               ? "--model-name goes with --import here: it is the name of vectors from a file"
               : "--import needs --model-name TEXT: vectors are only compared with those of the same name";
  if (!export_file.empty() && !VectorExport::Knows(export_file))
    return "--export takes a file that ends in " + std::string(VectorExport::kNames) + ", not " +
           PrintablePath(export_file);
  return embedding.Check();
}

std::unique_ptr<Command> AddEmbed(Flags& flags) {
  return std::make_unique<Embed>(flags);
}

}  // namespace imgmill
