// The match command: vectors of the queries, the search, and what was found as text, CSV or JSON lines.
#include "imgmill/commands/match.h"

#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/embed/embed_operation.h"
#include "commands/embed/vector_kinds.h"
#include "commands/export_target.h"
#include "commands/readable_file.h"
#include "embedded_queries.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/steps_before.h"
#include "match_output.h"
#include "match_page.h"
#include "match_sources.h"
#include "text_queries.h"

namespace imgmill {
namespace {

class Match final : public Command, public ChecksAhead {
 public:
  explicit Match(Flags& flags);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::optional<std::string> CheckAlone(const SharedOptions& shared) const override {
    if (shared.no_catalog) return "match searches a catalog and does not work without one";
    if (shared.catalog.empty() && options_.in.empty()) {
      return "which images are searched? Name their folder with --in, or their catalog with --catalog";
    }
    if (options_.format != "text" && (shared.json || shared.jsonl))
      return "--format " + options_.format + " does not go with " + (shared.json ? "--json" : "--jsonl") +
             ", which prints other lines";
    for (const std::string& in : options_.in) {
      if (!HoldsFiles(in)) return "--in " + PrintablePath(in) + " is not a folder";
    }
    for (const std::string& folder : options_.queries) {
      if (!HoldsFiles(folder)) return "--queries " + PrintablePath(folder) + " is not a folder";
    }
    return std::nullopt;
  }
  std::string weight_file() const override { return options_.embedding.model; }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }
  std::string catalog_of() const override {
    return options_.in.empty() ? std::string() : EmbeddedFolder(options_.in.front());
  }
  bool needs_images() const override { return options_.texts.empty() && options_.queries.empty(); }
  Status MayRead(const CommandServices& services, const StepsBefore& before) const override {
    if (!options_.embedding.model.empty()) TRY(MayBeWeights(services, options_.embedding.model));
    if (!services.in_pipeline) return {};  // which catalogs are asked, and for what, Begin finds out
    if (!options_.queries.empty())
      return UsageError(
          "--queries cannot be used in a pipeline step, whose queries are the images that come to it");
    if (services.shared->no_catalog)
      return UsageError("match searches a catalog and does not work without one");
    for (const std::string& in : options_.in) {
      if (!HoldsFiles(in) && !before.MayMake(in))
        return UsageError("--in " + PrintablePath(in) + " is not a folder");
    }
    return HasVectors(options_.embedding, services, before);
  }
  Status MayWrite(const CommandServices&, const StepsBefore& before) const override {
    return MayExport("--html", options_.html, WrittenAs::kPage, before);
  }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override;

 private:
  class MatchRun;

  Status Describe(DescribedMatches matches, const EmbeddedQueries& embedded, const CommandServices& services,
                  Catalog& own, CommandResult& result) const {
    const uint64_t found = matches.found.count;
    const size_t texts = options_.texts.size();
    const RunCounts& counts = result.counts;
    result.headline = Counted(counts.listed, "query image") + ": " + std::to_string(counts.done) + " done, " +
                      std::to_string(counts.failed) + " failed";
    if (texts > 0) result.summary = Counted(texts, "text") + "; ";
    if (!options_.queries.empty()) TellEmbedded(embedded, result);
    result.summary += Counted(found, "match", "matches");
    TellSearched(matches.found, result);
    const auto shared = std::make_shared<const DescribedMatches>(std::move(matches));
    result.text = [shared, format = options_.format](const TextSink& put) {
      return shared->PutText(format, put);
    };
    result.details.SetRows("matches", [shared](JsonElements& elements) { return shared->PutJson(elements); });
    if (!options_.html.empty()) TRY(WriteMatchPage(options_.html, *shared, services, own, result));
    return {};
  }

  /// Each folder has a catalog of its own: one run over several makes another one.
  static std::string HowToUpdate(const std::vector<std::string>& folders) {
    std::string runs;
    for (const std::string& folder : folders)
      runs += (runs.empty() ? "imgmill embed " : ", and imgmill embed ") + PrintablePath(folder);
    if (runs.empty()) runs = "imgmill embed";
    return runs + (folders.size() > 1 ? " bring the catalogs" : " brings the catalog") + " up to date";
  }

  /// Those that were not asked for would else look like queries without matches.
  static void TellEmbedded(const EmbeddedQueries& from, CommandResult& result) {
    result.summary += Counted(from.count, "embedded query", "embedded queries");
    std::string why;
    AddReason(from.changed, "changed since it was embedded", why);
    AddReason(from.gone, "no longer there", why);
    AddReason(from.without_vector, "without such a vector", why);
    AddReason(from.damaged, "with a damaged vector", why);
    if (!why.empty()) result.summary += " (not asked for: " + why + ")";
    result.summary += "; ";
    result.details["embedded_queries"] = {{"asked", from.count},
                                          {"changed", from.changed},
                                          {"missing", from.gone},
                                          {"without_vector", from.without_vector},
                                          {"damaged", from.damaged}};
  }

  static void AddReason(uint64_t count, const char* what, std::string& why) {
    if (count > 0) why += (why.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  }

  /// What was not searched would else look like what was not found.
  static void TellSearched(const FoundMatches& found, CommandResult& result) {
    const uint64_t searched = found.searched;
    result.summary += " in " + Counted(searched, "image");
    std::string why;
    AddReason(found.changed, "changed since it was embedded", why);
    AddReason(found.gone, "no longer there", why);
    AddReason(found.without_vector, "without such a vector", why);
    if (!why.empty()) result.summary += "; not searched: " + why;
    if (found.changed > 0) result.summary += " (" + HowToUpdate(found.changed_below) + ")";
    if (!found.looked_at_all) result.summary += "; of their files, only those found were looked at";
    result.details["searched"] = searched;
    result.details["not_searched"] = {
        {"changed", found.changed}, {"missing", found.gone}, {"without_vector", found.without_vector}};
    result.details["files_checked"] = found.looked_at_all ? "all" : "found";
  }

  MatchOptions options_;
};

class Match::MatchRun final : public CommandRun {
 public:
  /// Queries leave no trace in the catalog that they ask: they would be found by the next ones.
  MatchRun(const Match& match, const CommandServices& services, std::unique_ptr<Embedder> embedder,
           std::vector<MatchSource> sources, std::unique_ptr<Catalog> own)
      : CommandRun(services),
        match_(match),
        services_(services),
        embedder_(std::move(embedder)),
        sources_(std::move(sources)),
        own_(std::move(own)),
        own_store_{own_.get(), nullptr},
        operation_(*embedder_, sources_.front().store, &own_store_, services, /*needs_notes=*/false,
                   [this](EmbeddedImage& image) { Take(image); }) {
    engine.notes = own_.get();
    engine.observer = nullptr;
    options.workers = EmbeddingWorkers(match.options_.embedding, services);
    options.force = false;  // that would load the model for images that are embedded
    alone = true;
  }
  Operation& operation() override { return operation_; }

  /// Before the images, whose model is loaded when the first of them needs it.
  Status AddTexts() {
    const MatchOptions& asked = match_.options_;
    if (asked.texts.empty() || services_.shared->mode == RunMode::kPlan) return {};
    std::unique_ptr<VectorFile> file =
        TRY(VectorFile::Open("", embedder_->kind(), sources_.front().store.file->dimension()));
    own_store_.file = std::move(file);
    return AddTextQueries(asked, services_, *own_store_.file, queries_);
  }

  /// Behind the texts, before the images.
  Status AddEmbedded() {
    const std::vector<std::string>& from = match_.options_.queries;
    if (from.empty() || services_.shared->mode == RunMode::kPlan) return {};
    std::vector<MatchSource> opened = TRY(OpenQuerySources(from, embedder_->kind(), sources_, services_));
    embedded_.sources = std::move(opened);
    return AddEmbeddedQueries(VectorFact(embedder_->kind(), services_.shared->allow_truncated), from,
                              services_, embedded_, queries_);
  }

  Result<CommandResult> Reduce(CommandResult result) override {
    result.kept = files_;
    result.kept_images = images_;
    if (result.counts.interrupted) return result;
    const MatchOptions& asked = match_.options_;
    MatchQuestion question;
    question.fact = VectorFact(embedder_->kind(), services_.shared->allow_truncated);
    question.top = static_cast<size_t>(asked.top.value_or(MatchOptions::kTop));
    question.least = static_cast<float>(asked.min_similarity);
    question.exclude_self = asked.exclude_self;
    question.unique = asked.unique;
    if (!asked.check_files.empty()) question.look_at_all = asked.check_files == "all";
    FoundMatches found = TRY(SearchMatches(sources_, question, queries_, services_));
    embedder_->Describe(result.details);
    DescribedMatches matches{queries_, std::move(found), {}};
    matches.NameFolders(asked.in);
    TRY(match_.Describe(std::move(matches), embedded_, services_, *own_, result));
    return result;
  }

 private:
  void Take(const EmbeddedImage& image) {
    ++images_;
    queries_.Add({image.file.path, image.absolute, image.place, image.vectors});
    if (services_.in_pipeline) files_.Add(image.file);
  }

  const Match& match_;
  const CommandServices& services_;
  const std::unique_ptr<Embedder> embedder_;
  std::vector<MatchSource> sources_;
  std::unique_ptr<Catalog> own_;
  VectorStore own_store_;
  EmbeddedQueries embedded_;
  MatchQueryTable queries_;  // texts, then embedded ones, then images
  uint64_t images_ = 0;
  FileTable files_;  // of the queries, for a next step
  EmbedOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Match::Begin(ItemSource&, const CommandServices& services) {
  OpenedEmbedding opened = TRY(OpenEmbedding(options_.embedding, services));
  std::vector<MatchSource> sources =
      TRY(OpenMatchSources(options_.in, *opened.embedder, std::move(opened.store), services));
  std::unique_ptr<Catalog> own = TRY(Catalog::Open(""));
  auto run = std::make_unique<MatchRun>(*this, services, std::move(opened.embedder), std::move(sources),
                                        std::move(own));
  TRY(run->AddTexts());
  TRY(run->AddEmbedded());
  return std::unique_ptr<CommandRun>(std::move(run));
}

Match::Match(Flags& flags) {
  flags.Footer(
      "Example:\n"
      "  imgmill embed photos\n"
      "  imgmill match new.jpg --in photos --top 3\n"
      "  imgmill match --queries new_photos --in photos --format csv\n"
      "  imgmill match --text 'a red bicycle' --in photos --model clip.safetensors --vocabulary "
      "bpe_simple_vocab_16e6.txt.gz");
  flags.Add("--text", options_.texts, "Find images that these words describe; may be repeated")
      .OneValueEach()
      .Type("TEXT");
  flags
      .Add("--vocabulary", options_.vocabulary,
           "Vocabulary of the CLIP model's tokenizer, for --text: .txt or .txt.gz")
      .Type("FILE");
  flags.Add("--in", options_.in, "Search the embedded images below this folder; may be repeated")
      .OneValueEach()
      .Type("DIR");
  flags
      .Add(
          "--queries", options_.queries,
          "Ask for the embedded images below this folder, or of this catalog, beside other queries; no model "
          "is loaded for them; may be repeated")
      .OneValueEach()
      .Type("DIR");
  flags.Add("--top", options_.top, "Images to find for each query [5]").Type("N");
  flags.Add("--min-similarity", options_.min_similarity, "Least cosine similarity of a match, -1 to 1")
      .ShowDefault()
      .Type("COSINE");
  flags.AddSwitch("--exclude-self", options_.exclude_self, "A query's own file does not count as a match");
  flags.AddSwitch("--unique", options_.unique,
                  "Give each query one image, and each image to one query: the most alike pairs first");
  flags
      .Add("--check-files", options_.check_files,
           "Look at all files, whether they are as they were embedded, or only at those found [all of up to "
           "50000]")
      .Words({"all", "found"})
      .Type("NAME");
  flags.Add("--html", options_.html, "Write a page of the queries and what was found").Type("FILE");
  flags.Add("--format", options_.format, "text, csv or jsonl")
      .Words({"text", "csv", "jsonl"})
      .ShowDefault()
      .Type("NAME");
  AddEmbeddingFlags(flags, options_.embedding);
}

}  // namespace

std::optional<std::string> MatchOptions::Check() const {
  if (top && (*top < 1 || *top > 100000)) return "--top takes 1 to 100000";
  if (top && unique) return "--unique gives each query one image: it does not go with --top";
  if (!(min_similarity >= -1 && min_similarity <= 1)) return "--min-similarity takes -1 to 1";
  if (!check_files.empty() && check_files != "all" && check_files != "found")
    return "--check-files takes all or found, not \"" + check_files + "\"";
  if (format != "text" && format != "csv" && format != "jsonl")
    return "--format takes text, csv or jsonl, not \"" + format + "\"";
  if (texts.empty() && !vocabulary.empty()) return "--vocabulary goes with --text";
  for (const std::string& text : texts) {
    if (text.empty()) return "--text is empty: say what to look for";
  }
  if (!texts.empty() && embedding.model.empty())
    return "--text needs --model FILE: the built-in descriptor knows how images look, not what words mean";
  if (!texts.empty() && vocabulary.empty())
    return "--text needs --vocabulary FILE: CLIP's bpe_simple_vocab_16e6.txt.gz, which the Python packages "
           "clip and open_clip_torch contain";
  if (!vocabulary.empty()) {
    if (auto wrong = CheckReadable(vocabulary, "vocabulary")) return wrong;
  }
  return embedding.Check();
}

std::unique_ptr<Command> AddMatch(Flags& flags) {
  return std::make_unique<Match>(flags);
}

}  // namespace imgmill
