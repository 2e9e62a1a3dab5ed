/*
 * The verb validate: everything that is wrong with a desired state, without any server.
 */
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "session/session.h"

static const char *severity_word(enum mr_severity severity)
{
	static const char *const words[] = {
	        [MR_ERROR] = "error", [MR_WARNING] = "warning", [MR_NOTE] = "note"};

	return words[severity];
}

static int compile_offline(struct mailreeve *session, struct mr_tree *tree)
{
	struct mr_compile_options options = {
	        .host = session->host.name, .today_days = time(NULL) / 86400};
	struct mr_compile_stats stats = {0};
	struct mr_desired *desired = NULL;
	int code = mr_compile(&session->diags, tree, &options, &desired, &stats);

	if (desired)
		mr_desired_close(desired);
	return code;
}

static int open_tree(
        struct mailreeve *session, const struct mailreeve_source *source, struct mr_tree **out)
{
	mr_str commit = {0};
	int code;

	if (source->directory)
		return mr_tree_open_dir(&session->diags, source->directory, out);
	code = mr_session_open_repo(session);
	if (!code)
		code = mr_repo_fetch(&session->diags, session->repo);
	if (!code)
		code = mr_repo_resolve(&session->diags, session->repo, mr_str_from(source->ref),
		        &session->arena, &commit);
	if (!code)
		code = mr_tree_open_commit(
		        &session->diags, session->repo, commit, session->host.repository_path, out);
	return code;
}

static void write_text(const struct mailreeve *session, struct mr_buf *out)
{
	const struct mr_diags *diags = &session->diags;

	mr_vec_each (diag, &diags->list) {
		mr_diag_format(diag, out);
		mr_buf_add_char(out, '\n');
	}
	if (diags->n_errors == 0)
		mr_buf_printf(out, "Valid: no errors, %zu warning%s.\n", diags->n_warnings,
		        diags->n_warnings == 1 ? "" : "s");
	else
		mr_buf_printf(out, "Invalid: %zu error%s, %zu warning%s.\n", diags->n_errors,
		        diags->n_errors == 1 ? "" : "s", diags->n_warnings,
		        diags->n_warnings == 1 ? "" : "s");
}

static void write_json(const struct mailreeve *session, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.diagnostics/1"));
	mr_json_member_bool(&json, "valid", session->diags.n_errors == 0);
	mr_json_name(&json, "diagnostics");
	mr_json_begin_array(&json);
	mr_vec_each (diag, &session->diags.list) {
		mr_json_begin_object(&json);
		mr_json_member_str(&json, "severity", mr_str_from(severity_word(diag->severity)));
		mr_json_member_str(&json, "rule", diag->rule);
		mr_json_member_str(&json, "file", diag->loc.path);
		mr_json_member_int(&json, "line", diag->loc.line);
		mr_json_member_int(&json, "column", diag->loc.column);
		mr_json_member_str(&json, "text", diag->text);
		mr_json_member_str(&json, "hint", diag->hint);
		mr_json_end_object(&json);
	}
	mr_json_end_array(&json);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

/* GitHub's workflow commands: data and properties have their own escapes. */
static void add_github(struct mr_buf *out, mr_str text, bool is_property)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool is_escaped = c == '%' || c == '\r' || c == '\n' ||
		                  (is_property && (c == ':' || c == ','));

		if (is_escaped)
			mr_buf_printf(out, "%%%02X", c);
		else
			mr_buf_add_char(out, (char)c);
	}
}

static void write_github(const struct mailreeve *session, struct mr_buf *out)
{
	mr_vec_each (diag, &session->diags.list) {
		const char *word =
		        diag->severity == MR_NOTE ? "notice" : severity_word(diag->severity);

		mr_buf_printf(out, "::%s file=", word);
		add_github(out, diag->loc.path, true);
		mr_buf_printf(out, ",line=%u,col=%u,title=", diag->loc.line, diag->loc.column);
		add_github(out, diag->rule, true);
		mr_buf_add_text(out, "::");
		add_github(out, diag->text, false);
		mr_buf_add_char(out, '\n');
	}
}

static void write_sarif_place(struct mr_json *json, const struct mr_loc *loc)
{
	mr_json_name(json, "locations");
	mr_json_begin_array(json);
	mr_json_begin_object(json);
	mr_json_name(json, "physicalLocation");
	mr_json_begin_object(json);
	mr_json_name(json, "artifactLocation");
	mr_json_begin_object(json);
	mr_json_member_str(json, "uri", loc->path);
	mr_json_end_object(json);
	mr_json_name(json, "region");
	mr_json_begin_object(json);
	mr_json_member_int(json, "startLine", loc->line > 0 ? loc->line : 1);
	mr_json_member_int(json, "startColumn", loc->column > 0 ? loc->column : 1);
	mr_json_end_object(json);
	mr_json_end_object(json);
	mr_json_end_object(json);
	mr_json_end_array(json);
}

static void write_sarif_result(struct mr_json *json, const struct mr_diag *diag)
{
	mr_json_begin_object(json);
	mr_json_member_str(json, "ruleId", diag->rule);
	mr_json_member_str(json, "level", mr_str_from(severity_word(diag->severity)));
	mr_json_name(json, "message");
	mr_json_begin_object(json);
	mr_json_member_str(json, "text", diag->text);
	mr_json_end_object(json);
	write_sarif_place(json, &diag->loc);
	mr_json_end_object(json);
}

static void write_sarif(const struct mailreeve *session, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(
	        &json, "$schema", MR_STR("https://json.schemastore.org/sarif-2.1.0.json"));
	mr_json_member_str(&json, "version", MR_STR("2.1.0"));
	mr_json_name(&json, "runs");
	mr_json_begin_array(&json);
	mr_json_begin_object(&json);
	mr_json_name(&json, "tool");
	mr_json_begin_object(&json);
	mr_json_name(&json, "driver");
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "name", MR_STR("mailreeve"));
	mr_json_member_str(&json, "version", MR_STR(MR_VERSION));
	mr_json_end_object(&json);
	mr_json_end_object(&json);
	mr_json_name(&json, "results");
	mr_json_begin_array(&json);
	mr_vec_each (diag, &session->diags.list)
		write_sarif_result(&json, diag);
	mr_json_end_array(&json);
	mr_json_end_object(&json);
	mr_json_end_array(&json);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

static int write_as(struct mailreeve *session, enum mailreeve_format format, struct mr_buf *out)
{
	switch (format) {
	case MAILREEVE_TEXT:
		write_text(session, out);
		return 0;
	case MAILREEVE_JSON:
		write_json(session, out);
		return 0;
	case MAILREEVE_GITHUB:
		write_github(session, out);
		return 0;
	case MAILREEVE_SARIF:
		write_sarif(session, out);
		return 0;
	default:
		return mr_fail(&session->diags, MR_E_USAGE,
		        "validate knows the formats text, json, github and sarif");
	}
}

int mailreeve_validate(struct mailreeve *session, const struct mailreeve_source *source,
        enum mailreeve_format format, struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_tree *tree = NULL;
	int code = open_tree(session, source, &tree);
	int written;

	if (!code)
		code = compile_offline(session, tree);
	if (tree)
		mr_tree_close(tree);
	if (code && code != MR_E_INVALID)
		return mr_error_status(code);
	mr_diags_sort(&session->diags);
	written = write_as(session, format, &text);
	if (!written)
		mr_diags_clear(&session->diags); /* they are the result: not to be said twice */
	mr_session_give(&text, out);
	return mr_error_status(written ? written : code);
}
