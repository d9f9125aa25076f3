#include "CWebFiles.h"

// The compiler reads the files: they need not be beside the binary when it runs.
static const unsigned char index_html[] = {
#embed "../Site/index.html"
};
static const unsigned char docs_html[] = {
#embed "../Site/docs.html"
};
static const unsigned char icon_svg[] = {
#embed "../Site/icon.svg"
};
static const unsigned char look_css[] = {
#embed "../Site/look.css"
};
static const unsigned char chat_css[] = {
#embed "../Site/chat.css"
};
static const unsigned char server_css[] = {
#embed "../Site/server.css"
};
static const unsigned char docs_css[] = {
#embed "../Site/docs.css"
};
static const unsigned char theme_js[] = {
#embed "../Site/theme.js"
};
static const unsigned char main_js[] = {
#embed "../Site/main.js"
};
static const unsigned char api_js[] = {
#embed "../Site/api.js"
};
static const unsigned char chat_js[] = {
#embed "../Site/chat.js"
};
static const unsigned char turns_js[] = {
#embed "../Site/turns.js"
};
static const unsigned char settings_js[] = {
#embed "../Site/settings.js"
};
static const unsigned char markdown_js[] = {
#embed "../Site/markdown.js"
};
static const unsigned char inline_js[] = {
#embed "../Site/inline.js"
};
static const unsigned char code_js[] = {
#embed "../Site/code.js"
};
static const unsigned char server_js[] = {
#embed "../Site/server.js"
};
static const unsigned char chart_js[] = {
#embed "../Site/chart.js"
};
static const unsigned char dom_js[] = {
#embed "../Site/dom.js"
};
static const unsigned char docs_js[] = {
#embed "../Site/docs.js"
};

#define FILE_OF(name, bytes) {name, bytes, sizeof(bytes)}

static const struct web_file files[] = {
    FILE_OF("index.html", index_html), FILE_OF("docs.html", docs_html),     FILE_OF("icon.svg", icon_svg),
    FILE_OF("look.css", look_css),     FILE_OF("chat.css", chat_css),       FILE_OF("server.css", server_css),
    FILE_OF("docs.css", docs_css),     FILE_OF("theme.js", theme_js),       FILE_OF("main.js", main_js),
    FILE_OF("api.js", api_js),         FILE_OF("chat.js", chat_js),         FILE_OF("turns.js", turns_js),
    FILE_OF("settings.js", settings_js), FILE_OF("markdown.js", markdown_js), FILE_OF("inline.js", inline_js),
    FILE_OF("code.js", code_js),       FILE_OF("server.js", server_js),     FILE_OF("chart.js", chart_js),
    FILE_OF("dom.js", dom_js),         FILE_OF("docs.js", docs_js),
};

const struct web_file *web_files(size_t *count) {
    *count = sizeof(files) / sizeof(files[0]);
    return files;
}
